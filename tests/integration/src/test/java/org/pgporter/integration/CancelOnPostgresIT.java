package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.CopyOutResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Cancel requests with real servers: what signals hit is up to timing there.
class CancelOnPostgresIT {
    private static final String USER = "cancel_races";

    private static TestNode node(TestPostgres postgres, int poolSize) {
        if (postgres.rows("select 1 from pg_roles where rolname = ?", USER).isEmpty()) {
            postgres.createUser(USER, "secret", "scram-sha-256");
            postgres.createDatabase(USER, USER);
        }
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(USER, USER, postgres.secretOf(USER))
                .pools(pool -> pool.withPoolSize(poolSize).withQueryWaitTimeout(Duration.ofSeconds(30)))
                .start();
    }

    private static RawClient client(TestNode node) {
        return RawClient.connects(node.host(), node.port()).logsIn(USER, "secret", USER);
    }

    /// One client's queries end just when they are cancelled; the other shares its backend, and never hears of it.
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldNeverHitTheNextClient(PostgresMajor major) throws Exception { // checklist 58
        try (TestNode node = node(TestPostgres.shared(major), 1);
                RawClient cancelled = client(node);
                RawClient innocent = client(node)) {
            CompletableFuture<Void> cancelling = inBackground(() -> {
                for (int i = 0; i < 100; i++) {
                    cancelled.cancel();
                }
            });
            CompletableFuture<Integer> hits = CompletableFuture.supplyAsync(
                    () -> hitsUntil(cancelled, cancelling), Executors.newVirtualThreadPerTaskExecutor());
            int answers = 0;
            while (!hits.isDone()) {
                // Long enough to be there when a signal comes too late for the other.
                String question = "select '" + answers + "' from pg_sleep(0.005)";
                assertThat(innocent.query(question)).containsExactly(List.of("" + answers));
                answers++;
            }
            assertThat(answers).isPositive();
            assertThat(hits.get(10, TimeUnit.SECONDS)).isPositive();
            cancelling.join();
        }
    }

    /// Asks short questions until it is done.
    ///
    /// @return how many of them were cancelled
    private static int hitsUntil(RawClient client, CompletableFuture<Void> done) {
        int hits = 0;
        while (!done.isDone()) {
            client.sendsQuery("select pg_sleep(0.001)");
            BackendMessage message = client.expectsAny();
            while (!(message instanceof ReadyForQuery)) {
                if (message instanceof ErrorResponse error) {
                    assertThat(error.sqlState().code()).isEqualTo("57014");
                    hits++;
                }
                message = client.expectsAny();
            }
        }
        return hits;
    }

    /// Many more requests than the pool has connections, and it serves others all the while.
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldServeOthersDuringAFlood(PostgresMajor major) { // checklist 61
        TestPostgres postgres = TestPostgres.shared(major);
        try (TestNode node = node(postgres, 2);
                RawClient victim = client(node);
                RawClient other = client(node)) {
            victim.sendsQuery("/* flood */ select pg_sleep(60)");
            await().until(() -> postgres.rows("select 1 from pg_stat_activity"
                                    + " where query like '/* flood */%' and wait_event = 'PgSleep'")
                            .size()
                    == 1);
            CancelRequest request = new CancelRequest(
                    victim.backendKey().processId(), victim.backendKey().secret());
            List<RawClient> flood = Stream.generate(() -> RawClient.connects(node.host(), node.port()))
                    .limit(100)
                    .toList();

            flood.forEach(each -> each.sends(request));

            for (int i = 0; i < 20; i++) {
                assertThat(other.query("select " + i)).containsExactly(List.of("" + i));
            }
            try (RawClient another = client(node)) {
                assertThat(another.query("select 'in'")).containsExactly(List.of("in"));
            }
            flood.forEach(RawClient::expectsClosed);
            flood.forEach(RawClient::close);
            victim.expects(RowDescription.class);
            victim.expectsError("57014");
            victim.expectsReadyForQuery(IDLE);
            assertThat(victim.query("select 'alive'")).containsExactly(List.of("alive"));
            assertThat(node.node().permitsHeld(USER, USER)).isLessThanOrEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldCancelACopyInBothDirections(PostgresMajor major) {
        try (TestNode node = node(TestPostgres.shared(major), 1);
                RawClient client = client(node)) {
            client.query("create table if not exists copied (i int)");
            client.sendsQuery("copy copied from stdin");
            client.expects(CopyInResponse.class);
            client.cancel();
            client.sendsCopyData("1\n"); // PostgreSQL looks at its signals when data has come
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);

            client.sendsQuery("copy (select generate_series(1, 100000000), repeat('x', 1000)) to stdout");
            client.expects(CopyOutResponse.class);
            client.cancel(); // while this one does not read
            BackendMessage message = client.expectsAny();
            while (message instanceof CopyData) {
                message = client.expectsAny();
            }
            assertThat(message)
                    .isInstanceOfSatisfying(
                            ErrorResponse.class,
                            error -> assertThat(error.sqlState().code()).isEqualTo("57014"));
            client.expectsReadyForQuery(IDLE);
            assertThat(client.query("select count(*) from copied")).containsExactly(List.of("0"));
        }
    }

    private static CompletableFuture<Void> inBackground(Runnable work) {
        return CompletableFuture.runAsync(work, Executors.newVirtualThreadPerTaskExecutor());
    }
}
