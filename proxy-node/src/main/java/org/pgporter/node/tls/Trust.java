package org.pgporter.node.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;

/// Who vouches for certificates of the other side, and which of them count no longer.
final class Trust {
    private Trust() {}

    /// @param prefix of both keys: empty, or `server_`
    /// @return empty where nobody is named
    static Optional<TrustManagerFactory> read(String prefix, Optional<Path> caCert, Optional<Path> crlFile)
            throws TlsProblem {
        if (caCert.isEmpty()) {
            return Optional.empty();
        }
        String name = prefix + "tls_ca_cert";
        List<X509Certificate> authorities = PemFiles.certificates(name, caCert.get());
        try {
            KeyStore anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            for (int i = 0; i < authorities.size(); i++) {
                anchors.setCertificateEntry("authority-" + i, authorities.get(i));
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            if (crlFile.isPresent()) {
                factory.init(withRevocation(
                        anchors,
                        CertStore.getInstance(
                                "Collection",
                                new CollectionCertStoreParameters(
                                        PemFiles.revocationLists(prefix + "tls_crl_file", crlFile.get())))));
            } else {
                factory.init(anchors);
            }
            return Optional.of(factory);
        } catch (GeneralSecurityException | IOException e) {
            throw new TlsProblem(name, caCert.get() + " cannot be used: " + e.getMessage());
        }
    }

    /// As PostgreSQL does it: each certificate below the root must be on no list of its issuer, and a missing list
    /// refuses it.
    private static CertPathTrustManagerParameters withRevocation(KeyStore anchors, CertStore lists)
            throws GeneralSecurityException {
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
        parameters.addCertStore(lists);
        PKIXRevocationChecker checker =
                (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
        checker.setOptions(
                EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
        parameters.addCertPathChecker(checker);
        parameters.setRevocationEnabled(true);
        return new CertPathTrustManagerParameters(parameters);
    }
}
