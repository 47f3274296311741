package org.pgporter.node.tls;

import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/// A certificate that is in use, for those who look after the node.
///
/// @param leg `client`, or host and port of the PostgreSQL server that it is for
/// @param file where it was read
/// @param loaded when
public record LoadedCertificate(
        String leg, String subject, String issuer, Instant notAfter, Instant loaded, Path file) {

    static LoadedCertificate of(String leg, X509Certificate certificate, Instant loaded, Path file) {
        return new LoadedCertificate(
                leg,
                certificate.getSubjectX500Principal().getName(),
                certificate.getIssuerX500Principal().getName(),
                certificate.getNotAfter().toInstant(),
                loaded,
                file);
    }

    /// All certificates in these files; a file that has something else in it has none.
    static List<LoadedCertificate> in(String leg, List<Path> files, Instant loaded) {
        return files.stream()
                .flatMap(file -> {
                    try {
                        return PemFiles.certificates(file.toString(), file).stream()
                                .map(certificate -> of(leg, certificate, loaded, file));
                    } catch (TlsProblem _) {
                        return List.<LoadedCertificate>of().stream(); // a key, or a revocation list
                    }
                })
                .toList();
    }
}
