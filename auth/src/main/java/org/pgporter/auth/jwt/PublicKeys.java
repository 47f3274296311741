package org.pgporter.auth.jwt;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads public keys from PEM: `PUBLIC KEY`, `RSA PUBLIC KEY`, or the key in a `CERTIFICATE`. Of a
/// certificate nothing but the key counts; whoever names the file trusts it.
public final class PublicKeys {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

    /// The kinds of keys that [TokenAlgorithm] knows, as the JDK calls them.
    private static final List<String> KINDS = List.of("RSA", "EC", "Ed25519");

    /// `SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }` (RFC 8017 appendix A.1).
    private static final byte[] RSA_ENCRYPTION = HexFormat.of().parseHex("300d06092a864886f70d0101010500");

    private PublicKeys() {}

    /// All keys of a file, at least one.
    ///
    /// @throws IllegalArgumentException if there is none, or one that cannot be used; the message says why
    public static List<VerificationKey> fromPem(String text) {
        List<VerificationKey> keys = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(text);
        while (matcher.find()) {
            String label = matcher.group(1);
            if (label.endsWith("PRIVATE KEY")) {
                throw new IllegalArgumentException("holds a private key, which has no business here");
            }
            byte[] content;
            try {
                content = Base64.getDecoder().decode(matcher.group(2).replaceAll("\\s", ""));
            } catch (IllegalArgumentException _) {
                throw new IllegalArgumentException("a block " + label + " is not base64");
            }
            switch (label) {
                case "PUBLIC KEY" -> keys.add(VerificationKey.unnamed(key(content)));
                case "RSA PUBLIC KEY" -> keys.add(VerificationKey.unnamed(key(wrapped(content))));
                case "CERTIFICATE" -> keys.add(VerificationKey.unnamed(keyOfCertificate(content)));
                default -> {}
            }
        }
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("holds no public key (PEM, BEGIN PUBLIC KEY)");
        }
        return keys;
    }

    private static PublicKey key(byte[] encoded) {
        for (String kind : KINDS) {
            try {
                return KeyFactory.getInstance(kind).generatePublic(new X509EncodedKeySpec(encoded));
            } catch (InvalidKeySpecException _) {
                // Of another kind, then.
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e); // every JDK has them
            }
        }
        throw new IllegalArgumentException("holds a key that is neither RSA nor EC nor Ed25519");
    }

    private static PublicKey keyOfCertificate(byte[] content) {
        try {
            return CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(content))
                    .getPublicKey();
        } catch (GeneralSecurityException _) {
            throw new IllegalArgumentException("holds a certificate that cannot be read");
        }
    }

    /// A bare RSA key (RFC 8017) as a key that says what it is (RFC 5280 section 4.1, SubjectPublicKeyInfo).
    private static byte[] wrapped(byte[] rsa) {
        byte[] bits = new byte[rsa.length + 1]; // the first byte: no bits are unused
        System.arraycopy(rsa, 0, bits, 1, rsa.length);
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes(RSA_ENCRYPTION);
        content.writeBytes(tagged(0x03, bits));
        return tagged(0x30, content.toByteArray());
    }

    private static byte[] tagged(int tag, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < 0x80) {
            out.write(content.length);
        } else {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(content.length) + 7) / 8;
            out.write(0x80 | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                out.write(content.length >>> (8 * i));
            }
        }
        out.writeBytes(content);
        return out.toByteArray();
    }
}
