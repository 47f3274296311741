package org.pgporter.support;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// An authority of its own, with certificates for servers and clients as PEM files in a folder.
///
/// ```java
/// var pki = TestPki.in(folder);
/// var server = pki.server("localhost", "127.0.0.1");
/// client.encrypts(pki.trusting());
/// ```
public final class TestPki {
    private final Path folder;
    private final X509Bundle root;
    private final Path authority;
    private final AtomicInteger numbers = new AtomicInteger();

    /// A certificate with its key.
    ///
    /// @param certificate with those behind it, but for the root
    /// @param authority the root
    public record Identity(X509Bundle bundle, Path certificate, Path key, Path authority) {}

    private TestPki(Path folder) throws Exception {
        this.folder = folder;
        this.root = new CertificateBuilder()
                .ecp256()
                .subject("CN=root of " + folder.getFileName())
                .setIsCertificateAuthority(true)
                .setKeyUsage(true, CertificateBuilder.KeyUsage.keyCertSign, CertificateBuilder.KeyUsage.cRLSign)
                .buildSelfSigned();
        this.authority = write("root.crt", root.getCertificatePEM());
    }

    /// A new authority whose files stand in the folder, which is made if need be.
    public static TestPki in(Path folder) {
        try {
            Files.createDirectories(folder);
            return new TestPki(folder);
        } catch (Exception e) {
            throw new IllegalStateException("no certificates: " + e, e);
        }
    }

    /// The root's certificate.
    public Path authority() {
        return authority;
    }

    /// A server with a key of an elliptic curve.
    ///
    /// @param names host names and addresses, the first of them also as CN
    public Identity server(String... names) {
        return issue(new CertificateBuilder().ecp256().addExtendedKeyUsageServerAuth(), names[0], names);
    }

    /// A server with an RSA key.
    public Identity rsaServer(String... names) {
        return issue(new CertificateBuilder().rsa2048().addExtendedKeyUsageServerAuth(), names[0], names);
    }

    public Identity client(String commonName) {
        return issue(new CertificateBuilder().ecp256().addExtendedKeyUsageClientAuth(), commonName);
    }

    /// A client whose certificate has been of no use since yesterday.
    public Identity expiredClient(String commonName) {
        var yesterday = Instant.now().minus(Duration.ofDays(1));
        return issue(
                new CertificateBuilder()
                        .ecp256()
                        .notBefore(yesterday.minus(Duration.ofDays(1)))
                        .notAfter(yesterday)
                        .addExtendedKeyUsageClientAuth(),
                commonName);
    }

    private Identity issue(CertificateBuilder builder, String commonName, String... names) {
        try {
            var number = numbers.incrementAndGet();
            var its = builder.subject("CN=" + commonName).serial(BigInteger.valueOf(1000L + number));
            for (var name : names) {
                its = name.matches("[0-9.]+") || name.contains(":")
                        ? its.addSanIpAddress(name)
                        : its.addSanDnsName(name);
            }
            var bundle = its.buildIssuedBy(root);
            return new Identity(
                    bundle,
                    write(number + ".crt", bundle.getCertificatePEM()),
                    write(number + ".key", bundle.getPrivateKeyPEM()),
                    authority);
        } catch (Exception e) {
            throw new IllegalStateException("no certificate for " + commonName + ": " + e, e);
        }
    }

    /// A revocation list of this authority.
    public Path revoking(Identity... revoked) {
        try {
            var now = Instant.now();
            var list = new X509v2CRLBuilder(
                    X500Name.getInstance(
                            root.getCertificate().getSubjectX500Principal().getEncoded()),
                    Date.from(now.minusSeconds(60)));
            list.setNextUpdate(Date.from(now.plus(Duration.ofDays(1))));
            for (var identity : revoked) {
                list.addCRLEntry(
                        identity.bundle().getCertificate().getSerialNumber(),
                        Date.from(now.minusSeconds(60)),
                        CRLReason.keyCompromise);
            }
            var signer = new JcaContentSignerBuilder("SHA256withECDSA")
                    .build(root.getKeyPair().getPrivate());
            var encoded = Base64.getMimeEncoder(64, new byte[] {'\n'})
                    .encodeToString(list.build(signer).getEncoded());
            return write(
                    numbers.incrementAndGet() + ".crl",
                    "-----BEGIN X509 CRL-----\n" + encoded + "\n-----END X509 CRL-----\n");
        } catch (IOException | OperatorCreationException e) {
            throw new IllegalStateException("no revocation list: " + e, e);
        }
    }

    /// For a client that trusts this authority and has no certificate.
    public SSLContext trusting() {
        return context(Optional.empty());
    }

    /// For a client that trusts this authority and shows a certificate, of whichever authority.
    public SSLContext trusting(Identity shown) {
        return context(Optional.of(shown));
    }

    /// For a server of the JDK's.
    public static SSLContext serving(Identity identity) {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(keyManagerFactory(identity).getKeyManagers(), null, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private SSLContext context(Optional<Identity> shown) {
        try {
            var anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            anchors.setCertificateEntry("root", root.getCertificate());
            var trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(anchors);
            var context = SSLContext.getInstance("TLS");
            context.init(
                    shown.isPresent() ? keyManagers(shown.get()) : new KeyManager[0], trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyManager[] keyManagers(Identity shown) throws GeneralSecurityException, IOException {
        return new KeyManager[] {
            new Insistent((X509ExtendedKeyManager) keyManagerFactory(shown).getKeyManagers()[0])
        };
    }

    private static KeyManagerFactory keyManagerFactory(Identity shown) throws GeneralSecurityException, IOException {
        var password = "changeit".toCharArray();
        var keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry(
                "own", shown.bundle().getKeyPair().getPrivate(), password, new java.security.cert.Certificate[] {
                    shown.bundle().getCertificate()
                });
        var factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(keys, password);
        return factory;
    }

    /// Shows its certificate to everybody, also to who asks for others.
    private static final class Insistent extends X509ExtendedKeyManager {
        private final X509ExtendedKeyManager keys;

        Insistent(X509ExtendedKeyManager keys) {
            this.keys = keys;
        }

        @Override
        public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
            return keys.chooseEngineClientAlias(keyTypes, null, engine);
        }

        @Override
        public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
            return keys.chooseClientAlias(keyTypes, null, socket);
        }

        @Override
        public String[] getClientAliases(String keyType, Principal[] issuers) {
            return keys.getClientAliases(keyType, null);
        }

        @Override
        public String[] getServerAliases(String keyType, Principal[] issuers) {
            return keys.getServerAliases(keyType, issuers);
        }

        @Override
        public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
            return keys.chooseServerAlias(keyType, issuers, socket);
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return keys.getCertificateChain(alias);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return keys.getPrivateKey(alias);
        }
    }

    private Path write(String name, String text) {
        try {
            return Files.writeString(folder.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
