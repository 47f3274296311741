package org.pgporter.node.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.support.TestPki;

class PemFilesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki pki;

    @BeforeAll
    static void make() {
        pki = TestPki.in(folder.resolve("pki"));
    }

    @Test
    void shouldReadACertificateWithItsKey() throws TlsProblem {
        TestPki.Identity ec = pki.server("localhost");
        TestPki.Identity rsa = pki.rsaServer("localhost");
        assertThat(read(ec.certificate(), ec.key()).certificate())
                .isEqualTo(ec.bundle().getCertificate());
        assertThat(read(rsa.certificate(), rsa.key()).isRsa()).isTrue();
    }

    @Test
    void shouldReadKeysAsOldToolsWriteThem() throws TlsProblem, IOException {
        for (TestPki.Identity identity : new TestPki.Identity[] {pki.server("localhost"), pki.rsaServer("localhost")}) {
            KeyPair pair = identity.bundle().getKeyPair();
            String label = pair.getPrivate().getAlgorithm() + " PRIVATE KEY";
            Path old = pem(label, oldNotation(pair.getPrivate()));
            read(identity.certificate(), old);
        }
    }

    @Test
    void shouldTakeAllCertificatesOfABundleWithTextAround() throws TlsProblem, IOException {
        Path other = TestPki.in(folder.resolve("other")).authority();
        Path bundle = Files.writeString(
                folder.resolve("bundle.pem"),
                "first: ours\n" + Files.readString(pki.authority()) + "\nsecond\n" + Files.readString(other));
        assertThat(PemFiles.certificates("tls_ca_cert", bundle)).hasSize(2);
    }

    @Test
    void shouldSayThatAKeyBelongsToAnotherCertificate() {
        TestPki.Identity one = pki.server("localhost");
        for (TestPki.Identity other : new TestPki.Identity[] {pki.server("localhost"), pki.rsaServer("localhost")}) {
            assertThatThrownBy(() -> read(one.certificate(), other.key()))
                    .isInstanceOf(TlsProblem.class)
                    .hasMessage(other.key() + " is not the key of the first certificate in " + one.certificate())
                    .extracting(problem -> ((TlsProblem) problem).key())
                    .isEqualTo("tls_private_key");
        }
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws IOException {
        TestPki.Identity identity = pki.server("localhost");
        Path missing = folder.resolve("missing.pem");
        assertProblem("does not exist", missing, identity.key());
        assertProblem("cannot be read", folder, identity.key());
        assertProblem("has no certificate", identity.key(), identity.key());
        assertProblem("has no private key", identity.certificate(), identity.certificate());
        assertProblem("is not base64", pem("CERTIFICATE", "!"), identity.key());
        assertProblem("certificate 1 cannot be read", pem("CERTIFICATE", new byte[] {1, 2, 3}), identity.key());
        assertProblem("cannot be used", identity.certificate(), pem("PRIVATE KEY", new byte[] {1, 2, 3}));
        assertProblem("it is encrypted", identity.certificate(), pem("ENCRYPTED PRIVATE KEY", new byte[] {1}));
        assertProblem(
                "is encrypted",
                identity.certificate(),
                Files.writeString(
                        folder.resolve("old.pem"),
                        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"));
    }

    @Test
    void shouldRefuseBrokenKeysOfEllipticCurvesInAnyPlace() throws IOException {
        byte[] whole = oldNotation(pki.server("localhost").bundle().getKeyPair().getPrivate());
        for (int length = 0; length < whole.length - 1; length++) {
            Path cut = pem("EC PRIVATE KEY", Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> PemFiles.privateKey("tls_private_key", cut))
                    .isInstanceOf(TlsProblem.class);
        }
    }

    /// Without the frame of PKCS #8; keys of elliptic curves name their curve themselves then.
    private static byte[] oldNotation(PrivateKey key) throws IOException {
        PrivateKeyInfo framed = PrivateKeyInfo.getInstance(key.getEncoded());
        if (key instanceof java.security.interfaces.ECPrivateKey curve) {
            return new org.bouncycastle.asn1.sec.ECPrivateKey(
                            256, curve.getS(), framed.getPrivateKeyAlgorithm().getParameters())
                    .getEncoded();
        }
        return framed.parsePrivateKey().toASN1Primitive().getEncoded();
    }

    private static void assertProblem(String words, Path certificate, Path key) {
        assertThatThrownBy(() -> read(certificate, key))
                .isInstanceOf(TlsProblem.class)
                .hasMessageContaining(words);
    }

    private static TlsIdentity read(Path certificate, Path key) throws TlsProblem {
        return TlsIdentity.read("", Optional.of(certificate), Optional.of(key)).orElseThrow();
    }

    private static Path pem(String label, byte[] content) throws IOException {
        return pem(label, Base64.getEncoder().encodeToString(content));
    }

    private static Path pem(String label, String body) throws IOException {
        return Files.writeString(
                folder.resolve("broken.pem"),
                "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n");
    }
}
