package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.TlsEngine;
import org.pgporter.config.UserConfig;
import org.pgporter.node.tls.NodeTls;
import org.pgporter.node.tls.TlsProblem;
import org.pgporter.node.tls.TlsSession;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPki;

/// What a socket knows of its TLS, for whoever authenticates.
class TlsSessionIT {
    private static final Duration SOON = Duration.ofSeconds(20);

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.class,
            names = {"BORINGSSL", "JDK"})
    void shouldKnowWhatTheHandshakeHasSettled(TlsEngine engine, @TempDir Path folder) throws Exception { // checklist 51
        TestPki pki = TestPki.in(folder.resolve("pki"));
        TestPki.Identity identity = pki.server("db.example.com");
        TestPki.Identity alice = pki.client("alice");
        CompletableFuture<SocketHandle> accepted = new CompletableFuture<>();
        try (NodeTls tls = tls(engine, identity, pki);
                Loopback loopback = new Loopback(IoKind.NIO, 1);
                RawClient client = connected(loopback, tls, accepted)) {
            SSLEngine its = pki.trusting(alice).createSSLEngine();
            var parameters = its.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("db.example.com")));
            parameters.setApplicationProtocols(new String[] {"postgresql"});
            its.setSSLParameters(parameters);
            client.encryptsAtOnce(its);
            SocketHandle socket = Loopback.await(accepted);
            await().atMost(SOON).until(() -> socket.tls().isPresent());

            TlsSession session = socket.tls().orElseThrow();
            assertThat(session.protocol()).isEqualTo("TLSv1.3");
            assertThat(session.cipherSuite()).startsWith("TLS_AES_");
            assertThat(session.serverName()).contains("db.example.com");
            assertThat(session.applicationProtocol()).contains("postgresql");
            assertThat(session.peerCertificates())
                    .containsExactly(alice.bundle().getCertificate());
            assertThat(session.tlsServerEndPoint().orElseThrow())
                    .isEqualTo(MessageDigest.getInstance("SHA-256")
                            .digest(identity.bundle().getCertificate().getEncoded()));
        }
    }

    @Test
    void shouldKnowNothingOfAConnectionWithoutTls(@TempDir Path folder) throws Exception {
        TestPki pki = TestPki.in(folder.resolve("pki"));
        CompletableFuture<SocketHandle> accepted = new CompletableFuture<>();
        try (NodeTls tls = tls(TlsEngine.AUTO, pki.server("localhost"), pki);
                Loopback loopback = new Loopback(IoKind.NIO, 1);
                RawClient client = connected(loopback, tls, accepted)) {
            client.sendsStartup("alice", "alice");
            assertThat(Loopback.await(accepted).tls()).isEmpty();
        }
    }

    private static RawClient connected(Loopback loopback, NodeTls tls, CompletableFuture<SocketHandle> accepted)
            throws Exception {
        Listener listener = loopback.listen(
                Loopback.anyPort(),
                new ListenOptions(128, false, SocketOptions.plain(), tls.negotiation()),
                (loop, socket) -> {
                    loopback.echo(socket); // reads
                    accepted.complete(socket);
                });
        InetSocketAddress address = (InetSocketAddress) listener.address();
        return RawClient.connects(address.getHostString(), address.getPort());
    }

    private static NodeTls tls(TlsEngine engine, TestPki.Identity identity, TestPki pki) throws TlsProblem {
        GeneralConfig general = GeneralConfig.defaults();
        return NodeTls.start(ProxyConfig.of(
                        "app",
                        PoolConfig.defaults().withUsers(UserConfig.of("alice", StoredCredential.parse("wonderland"))))
                .withGeneral(general.withTls(general.tls().withTlsEngine(engine))
                        .withClientTls(general.clientTls()
                                .withIdentity(identity.certificate(), identity.key())
                                .withTlsCaCert(pki.authority()))));
    }
}
