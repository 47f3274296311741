package org.pgporter.integration;

import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.config.IoTransport;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Clients that vanish with a reset right behind what they sent: nothing of them may stay.
class ResetIT {
    private static final int CLIENTS = 60;

    @ParameterizedTest
    @CsvSource({
        "NIO, begin",
        "NIO, query",
        "NIO, sleep",
        "EPOLL, begin",
        "EPOLL, query",
        "EPOLL, sleep",
        "IO_URING, begin",
        "IO_URING, query",
        "IO_URING, sleep"
    })
    void shouldNoticeAReset(IoTransport io, String phase) { // checklist 86
        // Given
        TestPostgres postgres = TestPostgres.shared();
        String user = ("reset_" + io + "_" + phase).toLowerCase(Locale.ROOT);
        postgres.createUser(user, "secret", "scram-sha-256");
        Consumer<RawClient> lastWords = switch (phase) {
            case "begin" ->
                client -> {
                    client.query("begin");
                    client.sendsQuery("select 1");
                };
            case "query" -> client -> client.sendsQuery("select 1");
            default -> client -> client.sendsQuery("select pg_sleep(30)");
        };
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", user, postgres.secretOf(user))
                .pools(options -> options.withPoolSize(5))
                .general(general -> general.withEventLoops(general.eventLoops().withIo(io)))
                .start()) {
            // When
            for (int i = 0; i < CLIENTS; i++) {
                RawClient client = RawClient.connects(node.host(), node.port());
                client.logsIn(user, "secret", "postgres");
                lastWords.accept(client);
                client.resets();
                // Then
                Awaitility.await("client " + i + " is forgotten")
                        .atMost(Duration.ofSeconds(8))
                        .pollInterval(Duration.ofMillis(5))
                        .until(() -> node.node().holdings().cancelKeys() == 0);
            }
        }
    }
}
