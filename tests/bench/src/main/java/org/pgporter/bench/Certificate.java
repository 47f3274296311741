package org.pgporter.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// A certificate of this machine for itself, made for one run: ECDSA on P-256, as certificates of today are.
///
/// @param chain the certificate, PEM
/// @param key its private key, PEM, for its owner's eyes only
record Certificate(Path chain, Path key) {
    private static final Duration MADE_WITHIN = Duration.ofSeconds(20);

    /// @throws BenchFailure where there is no `openssl`
    static Certificate create(Path directory) {
        var program = Program.find("openssl").orElseThrow(() -> new BenchFailure("the program openssl is missing"));
        var made = new Certificate(directory.resolve("server.crt"), directory.resolve("server.key"));
        Program.run(
                directory.resolve("openssl.out"),
                Map.of(),
                MADE_WITHIN,
                List.of(
                        program.toString(),
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:P-256",
                        "-nodes",
                        "-days",
                        "2",
                        "-subj",
                        "/CN=localhost",
                        "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout",
                        made.key().toString(),
                        "-out",
                        made.chain().toString()));
        return made;
    }
}
