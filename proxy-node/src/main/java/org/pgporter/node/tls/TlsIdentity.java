package org.pgporter.node.tls;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/// Who we are: a certificate with those that lead to its root, and the key that belongs to it.
record TlsIdentity(List<X509Certificate> chain, PrivateKey key) {
    /// Anything: a signature of it shows that key and certificate belong together.
    private static final byte[] PROBE = "pgporter".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    /// @param prefix of both keys: empty, or `server_`
    static Optional<TlsIdentity> read(String prefix, Optional<Path> certificate, Optional<Path> privateKey)
            throws TlsProblem {
        if (certificate.isEmpty() || privateKey.isEmpty()) {
            return Optional.empty();
        }
        String certificateName = prefix + "tls_certificate";
        String keyName = prefix + "tls_private_key";
        List<X509Certificate> chain = PemFiles.certificates(certificateName, certificate.get());
        PrivateKey key = PemFiles.privateKey(keyName, privateKey.get());
        if (!belongTogether(key, chain.getFirst().getPublicKey())) {
            throw new TlsProblem(
                    keyName, privateKey.get() + " is not the key of the first certificate in " + certificate.get());
        }
        return Optional.of(new TlsIdentity(chain, key));
    }

    X509Certificate certificate() {
        return chain.getFirst();
    }

    X509Certificate[] chainArray() {
        return chain.toArray(X509Certificate[]::new);
    }

    boolean isRsa() {
        return key.getAlgorithm().equals("RSA");
    }

    private static boolean belongTogether(PrivateKey privateKey, PublicKey publicKey) {
        String algorithm = switch (privateKey.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            case "RSASSA-PSS" -> ""; // its parameters may forbid the one signature that we would try
            default -> privateKey.getAlgorithm();
        };
        if (algorithm.isEmpty()) {
            return publicKey.getAlgorithm().startsWith("RSA");
        }
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(privateKey);
            signature.update(PROBE);
            byte[] signed = signature.sign();
            signature.initVerify(publicKey);
            signature.update(PROBE);
            return signature.verify(signed);
        } catch (GeneralSecurityException _) {
            return false; // keys of different kinds
        }
    }
}
