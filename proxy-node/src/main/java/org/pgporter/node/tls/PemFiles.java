package org.pgporter.node.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads certificates, keys and revocation lists from PEM files. What stands around the blocks is for people.
final class PemFiles {
    /// Bundles of all public authorities have less than 1 MB; what is larger is the wrong file.
    private static final int MOST_BYTES = 16 * 1024 * 1024;

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

    private static final String CERTIFICATE = "CERTIFICATE";
    private static final String REVOCATION_LIST = "X509 CRL";

    /// One block: what it says it is, and its bytes.
    private record Block(String label, byte[] content) {}

    private PemFiles() {}

    /// All certificates of the file, at least one, in their order.
    static List<X509Certificate> certificates(String key, Path file) throws TlsProblem {
        List<X509Certificate> certificates = new ArrayList<>();
        for (Block block : blocks(key, file)) {
            if (block.label().equals(CERTIFICATE)) {
                try {
                    certificates.add(
                            (X509Certificate) x509().generateCertificate(new ByteArrayInputStream(block.content())));
                } catch (CertificateException e) {
                    throw new TlsProblem(
                            key, file + ": certificate " + (certificates.size() + 1) + " cannot be read: " + said(e));
                }
            }
        }
        if (certificates.isEmpty()) {
            throw new TlsProblem(key, file + " has no certificate (PEM, BEGIN CERTIFICATE)");
        }
        return certificates;
    }

    /// The one private key of the file.
    static PrivateKey privateKey(String key, Path file) throws TlsProblem {
        for (Block block : blocks(key, file)) {
            if (block.label().endsWith("PRIVATE KEY")) {
                try {
                    return PrivateKeys.decode(block.label(), block.content());
                } catch (GeneralSecurityException e) {
                    throw new TlsProblem(key, file + ": the private key cannot be used: " + said(e));
                }
            }
        }
        throw new TlsProblem(key, file + " has no private key (PEM, BEGIN PRIVATE KEY)");
    }

    /// All revocation lists of the file, at least one.
    static List<CRL> revocationLists(String key, Path file) throws TlsProblem {
        List<CRL> lists = new ArrayList<>();
        for (Block block : blocks(key, file)) {
            if (block.label().equals(REVOCATION_LIST)) {
                try {
                    lists.add(x509().generateCRL(new ByteArrayInputStream(block.content())));
                } catch (GeneralSecurityException e) {
                    throw new TlsProblem(key, file + ": revocation list cannot be read: " + said(e));
                }
            }
        }
        if (lists.isEmpty()) {
            throw new TlsProblem(key, file + " has no revocation list (PEM, BEGIN X509 CRL)");
        }
        return lists;
    }

    private static List<Block> blocks(String key, Path file) throws TlsProblem {
        List<Block> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(text(key, file));
        while (matcher.find()) {
            String label = matcher.group(1);
            String body = matcher.group(2);
            if (body.contains(":")) { // Proc-Type and DEK-Info: how old tools write encrypted keys
                throw new TlsProblem(key, file + ": the private key is encrypted, and nobody is here to decrypt it");
            }
            try {
                blocks.add(new Block(label, Base64.getDecoder().decode(body.replaceAll("\\s", ""))));
            } catch (IllegalArgumentException _) {
                throw new TlsProblem(key, file + ": a block " + label + " is not base64");
            }
        }
        return blocks;
    }

    private static String text(String key, Path file) throws TlsProblem {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new TlsProblem(key, file + " has more than " + MOST_BYTES + " bytes");
            }
            return new String(bytes, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException _) {
            throw new TlsProblem(key, file + " does not exist");
        } catch (AccessDeniedException _) {
            throw new TlsProblem(key, file + " may not be read by this process");
        } catch (IOException e) {
            throw new TlsProblem(key, file + " cannot be read: " + said(e));
        }
    }

    private static CertificateFactory x509() {
        try {
            return CertificateFactory.getInstance("X.509");
        } catch (CertificateException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    private static String said(Exception e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
