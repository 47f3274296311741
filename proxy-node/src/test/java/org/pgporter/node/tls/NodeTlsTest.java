package org.pgporter.node.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.config.ServerTlsOverrides;
import org.pgporter.config.UserConfig;
import org.pgporter.support.TestPki;

class NodeTlsTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private TestPki pki;

    @SuppressWarnings("NullAway.Init")
    private Path certificate;

    @SuppressWarnings("NullAway.Init")
    private Path key;

    @BeforeEach
    void make() throws IOException {
        pki = TestPki.in(folder.resolve("pki"));
        certificate = folder.resolve("node.crt");
        key = folder.resolve("node.key");
        put(pki.server("one"));
    }

    @Test
    void shouldReadCertificatesAgainWhenAsked() throws Exception {
        try (NodeTls tls = NodeTls.start(config(UnaryOperator.identity()), Duration.ofDays(1))) {
            X509Certificate before = shown(tls);
            TestPki.Identity other = pki.rsaServer("two");
            put(other);
            assertThat(shown(tls)).isEqualTo(before);
            assertThat(tls.reload()).isEmpty();
            assertThat(shown(tls)).isEqualTo(other.bundle().getCertificate());
        }
    }

    @Test
    void shouldKeepTheOldCertificateWhenTheNewOneIsBroken() throws Exception { // checklist 49
        try (NodeTls tls = NodeTls.start(config(UnaryOperator.identity()), Duration.ofDays(1))) {
            X509Certificate before = shown(tls);
            Files.writeString(key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
            assertThat(tls.reload()).singleElement().satisfies(problem -> {
                assertThat(problem.key()).isEqualTo("tls_private_key");
                assertThat(problem.reason()).contains(key.toString(), "cannot be used");
            });
            assertThat(shown(tls)).isEqualTo(before);
        }
    }

    @Test
    void shouldFollowFilesThatChange() throws Exception {
        try (NodeTls tls = NodeTls.start(config(UnaryOperator.identity()), Duration.ofMillis(10))) {
            TestPki.Identity other = pki.server("two");
            put(other);
            await().atMost(SOON).until(() -> shown(tls).equals(other.bundle().getCertificate()));
        }
    }

    /// As secrets are swapped in containers.
    @Test
    void shouldFollowALinkThatIsSwapped() throws Exception {
        Path one = Files.createDirectory(folder.resolve("v1"));
        Path two = Files.createDirectory(folder.resolve("v2"));
        Path link = Files.createSymbolicLink(folder.resolve("current"), one);
        put(pki.server("one"), one);
        TestPki.Identity next = pki.server("two");
        put(next, two);
        certificate = link.resolve("node.crt");
        key = link.resolve("node.key");
        try (NodeTls tls = NodeTls.start(config(UnaryOperator.identity()), Duration.ofMillis(10))) {
            Path fresh = Files.createSymbolicLink(folder.resolve("fresh"), two);
            Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            await().atMost(SOON).until(() -> shown(tls).equals(next.bundle().getCertificate()));
        }
    }

    @Test
    void shouldLetOldConnectionsGoOnWithWhatTheyHave() throws Exception {
        try (NodeTls tls = NodeTls.start(config(UnaryOperator.identity()), Duration.ofDays(1))) {
            SslHandler old = tls.offer().handler();
            put(pki.server("two"));
            assertThat(tls.reload()).isEmpty();
            assertThat(tls.reload()).isEmpty();
            old.engine().setUseClientMode(false);
            old.engine().beginHandshake(); // the native context is still there
            ReferenceCountUtil.release(old.engine());
        }
    }

    @Test
    void shouldNameTheKeyThatIsToBlameWhereItStands() {
        Path missing = folder.resolve("missing.pem");
        ProxyConfig config = config(general ->
                        general.withServerTls(general.serverTls().withServerTlsMode(ServerTlsMode.VERIFY_CA, missing)))
                .withPool(
                        "other",
                        pool().withServerTls(ServerTlsOverrides.none()
                                .withServerTlsMode(ServerTlsMode.REQUIRE)
                                .withServerTlsCaCert(pki.authority())
                                .withServerTlsCertificate(certificate)
                                .withServerTlsPrivateKey(certificate)));
        List<TlsProblem> problems = NodeTls.problems(config);
        assertThat(problems)
                .extracting(problem -> problem.key() + ": " + problem.reason())
                .containsExactlyInAnyOrder(
                        "general.server_tls_ca_cert: " + missing + " does not exist",
                        "pools.other.server_tls_private_key: " + certificate
                                + " has no private key (PEM, BEGIN PRIVATE KEY)");
        assertThatThrownBy(() -> NodeTls.start(config)).isInstanceOf(TlsProblem.class);
    }

    @Test
    void shouldNameSuitesThatDoNotExist() {
        ProxyConfig config = config(general -> general.withTls(general.tls().withTlsCiphers("TLS_NO_SUCH_SUITE")));
        assertThat(NodeTls.problems(config))
                .anySatisfy(problem -> assertThat(problem.key()).isEqualTo("general.tls_ciphers"));
    }

    @Test
    void shouldCountForEachPool() throws Exception {
        try (NodeTls tls = NodeTls.start(config(UnaryOperator.identity()))) {
            tls.pool(config(UnaryOperator.identity()).settings("app", "alice").orElseThrow())
                    .counters()
                    .opened(Duration.ofMillis(3));
            TlsCounters counted = tls.counters(new PoolKey("app", "alice")).orElseThrow();
            assertThat(counted.connections()).isEqualTo(1);
            assertThat(counted.handshakes()).isEqualTo(1);
            assertThat(counted.handshakeTime()).isEqualTo(Duration.ofMillis(3));
            assertThat(counted.handshakesByDuration().get(2)).isEqualTo(1); // above 2 ms, up to 5
            assertThat(tls.poolCounters()).containsOnlyKeys(new PoolKey("app", "alice"));
            counted.closed();
            counted.failed();
            assertThat(counted.connections()).isZero();
            assertThat(counted.errors()).isEqualTo(1);
        }
    }

    private static X509Certificate shown(NodeTls tls) throws TlsProblem {
        ClientTls.Offer offer = tls.offer();
        ReferenceCountUtil.release(offer.handler().engine());
        return offer.own().orElseThrow();
    }

    private ProxyConfig config(UnaryOperator<GeneralConfig> change) {
        GeneralConfig general = GeneralConfig.defaults();
        return ProxyConfig.of("app", pool())
                .withGeneral(
                        change.apply(general.withClientTls(general.clientTls().withIdentity(certificate, key))));
    }

    private static PoolConfig pool() {
        return PoolConfig.defaults().withUsers(UserConfig.of("alice", StoredCredential.parse("wonderland")));
    }

    private void put(TestPki.Identity identity) throws IOException {
        put(identity, folder);
    }

    private static void put(TestPki.Identity identity, Path where) throws IOException {
        Files.copy(identity.certificate(), where.resolve("node.crt"), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(identity.key(), where.resolve("node.key"), StandardCopyOption.REPLACE_EXISTING);
    }
}
