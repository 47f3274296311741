package org.pgporter.node.tls;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.List;

/// Private keys in the three notations that tools write: PKCS #8, and the older ones of RSA and EC keys alone,
/// which are put into the frame of PKCS #8.
final class PrivateKeys {
    /// `SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }`, RFC 8017 A.1.
    private static final byte[] RSA_ALGORITHM = {
        0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
    };

    /// `OBJECT IDENTIFIER id-ecPublicKey`, RFC 5480 2.1.1.
    private static final byte[] EC_ALGORITHM = {0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01};

    private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};
    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 0x04;

    /// `[0] parameters` of an ECPrivateKey, RFC 5915.
    private static final int EC_PARAMETERS = 0xa0;

    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS");

    private PrivateKeys() {}

    /// @param label what stands in the block's first line
    static PrivateKey decode(String label, byte[] content) throws GeneralSecurityException {
        return switch (label) {
            case "PRIVATE KEY" -> fromPkcs8(content);
            case "RSA PRIVATE KEY" -> fromPkcs8(sequence(VERSION_0, RSA_ALGORITHM, element(OCTET_STRING, content)));
            case "EC PRIVATE KEY" ->
                fromPkcs8(
                        sequence(VERSION_0, sequence(EC_ALGORITHM, curveOf(content)), element(OCTET_STRING, content)));
            case "ENCRYPTED PRIVATE KEY" ->
                throw new InvalidKeySpecException("it is encrypted, and nobody is here to decrypt it");
            default -> throw new InvalidKeySpecException("unknown kind: " + label);
        };
    }

    private static PrivateKey fromPkcs8(byte[] content) throws GeneralSecurityException {
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(content));
            } catch (InvalidKeySpecException _) {
                // A key of another algorithm, or none at all.
            }
        }
        throw new InvalidKeySpecException("it is no key for RSA, EC or EdDSA");
    }

    /// The curve's identifier, which an ECPrivateKey carries behind version and key.
    private static byte[] curveOf(byte[] content) throws InvalidKeySpecException {
        int at = bodyStart(content, 0);
        while (at < content.length) {
            int start = bodyStart(content, at);
            int end = start + bodyLength(content, at);
            if (end > content.length || end <= at) {
                throw new InvalidKeySpecException("its encoding is broken");
            }
            if ((content[at] & 0xff) == EC_PARAMETERS) {
                return Arrays.copyOfRange(content, start, end);
            }
            at = end;
        }
        throw new InvalidKeySpecException("it does not name its curve");
    }

    private static int bodyLength(byte[] der, int at) throws InvalidKeySpecException {
        int first = byteAt(der, at + 1);
        int length = first;
        if (first >= 0x80) {
            length = 0;
            for (int i = 0; i < first - 0x80 && i < 3; i++) {
                length = length << 8 | byteAt(der, at + 2 + i);
            }
        }
        return length;
    }

    private static int bodyStart(byte[] der, int at) throws InvalidKeySpecException {
        int first = byteAt(der, at + 1);
        return at + 2 + (first >= 0x80 ? first - 0x80 : 0);
    }

    private static int byteAt(byte[] der, int at) throws InvalidKeySpecException {
        if (at >= der.length) {
            throw new InvalidKeySpecException("its encoding is broken");
        }
        return der[at] & 0xff;
    }

    private static byte[] sequence(byte[]... parts) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            body.writeBytes(part);
        }
        return element(SEQUENCE, body.toByteArray());
    }

    private static byte[] element(int tag, byte[] body) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (body.length < 0x80) {
            out.write(body.length);
        } else if (body.length < 0x100) {
            out.write(0x81);
            out.write(body.length);
        } else {
            out.write(0x82);
            out.write(body.length >> 8);
            out.write(body.length);
        }
        out.writeBytes(body);
        return out.toByteArray();
    }
}
