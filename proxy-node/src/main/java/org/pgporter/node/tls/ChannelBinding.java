package org.pgporter.node.tls;

import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.security.spec.PSSParameterSpec;
import java.util.Locale;
import java.util.Optional;

/// The channel binding `tls-server-end-point` of RFC 5929, section 4.1.
final class ChannelBinding {
    private ChannelBinding() {}

    /// The certificate hashed as its signature is; MD5 and SHA-1 are replaced by SHA-256.
    static Optional<byte[]> tlsServerEndPoint(X509Certificate certificate) {
        try {
            Optional<String> digest = digestOf(certificate);
            if (digest.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(MessageDigest.getInstance(digest.get()).digest(certificate.getEncoded()));
        } catch (GeneralSecurityException | IOException _) {
            return Optional.empty();
        }
    }

    private static Optional<String> digestOf(X509Certificate certificate) throws GeneralSecurityException, IOException {
        String algorithm = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
        if (algorithm.equals("RSASSA-PSS")) {
            byte[] encoded = certificate.getSigAlgParams();
            if (encoded == null) {
                return Optional.empty();
            }
            AlgorithmParameters parameters = AlgorithmParameters.getInstance("RSASSA-PSS");
            parameters.init(encoded);
            return Optional.of(
                    replaced(parameters.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm()));
        }
        int with = algorithm.indexOf("WITH");
        // Ed25519 and its like have no hash of their own: the RFC leaves the binding undefined.
        return with < 0 ? Optional.empty() : Optional.of(replaced(algorithm.substring(0, with)));
    }

    private static String replaced(String digest) {
        return switch (digest.toUpperCase(Locale.ROOT).replace("-", "")) {
            case "MD2", "MD5", "SHA", "SHA1", "SHA256" -> "SHA-256";
            case "SHA224" -> "SHA-224";
            case "SHA384" -> "SHA-384";
            case "SHA512" -> "SHA-512";
            default -> digest;
        };
    }
}
