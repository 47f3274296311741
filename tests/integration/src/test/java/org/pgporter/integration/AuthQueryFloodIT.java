package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.auth.Secret;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.config.AuthQueryOptions;
import org.pgporter.config.LoginLimits;
import org.pgporter.node.authquery.AuthQuery;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// A flood of logins. In `mvn verify` a small one; with `-Psoak` a hundred thousand (`-Dflood.logins=N`).
class AuthQueryFloodIT {
    private static final String PASSWORD = "correct horse";

    /// A login attempt of a user whom nobody knows, over and over: what is remembered is bounded, and so is
    /// what PostgreSQL is asked.
    @Test
    @Timeout(1200)
    void shouldBearAFloodOfNamesOfNobody() {
        int logins = Integer.getInteger("flood.logins", 3000);
        int perSecond = 100;
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_in_the_flood", PASSWORD, "scram-sha-256");
        AuthQueryConfig lookups = AuthQueryConfig.of("postgres")
                .withServerLogin("postgres", Secret.of("is not asked"))
                .withOptions(AuthQueryOptions.defaults()
                        .withCacheSize(1000)
                        .withMaxLookupsPerSecond(perSecond)
                        .withMaxWaitingLookups(10));
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .database("postgres")
                .pool("postgres", pool -> pool.withAuthQuery(lookups))
                .general(general ->
                        general.withLoginLimits(LoginLimits.defaults().withLoginFailureDelay(Duration.ZERO)))
                .start()) {
            login(node, "aq_in_the_flood");
            AtomicInteger next = new AtomicInteger();
            Map<String, AtomicInteger> answers = new ConcurrentHashMap<>();
            List<Throwable> surprises = Collections.synchronizedList(new ArrayList<>());
            Runnable half = () -> flood(logins / 2, 16, next, node, answers, surprises);

            // When
            long began = System.nanoTime();
            half.run();
            MemoryWatch memory = new MemoryWatch();
            half.run();
            double seconds = (System.nanoTime() - began) / 1e9;

            // Then
            assertThat(surprises).isEmpty();
            assertThat(answers.keySet()).isSubsetOf("28P01", "58000");
            login(node, "aq_in_the_flood");
            AuthQuery.Statistics counted = node.node().authQuery().statistics().getFirst();
            assertThat(counted.executorQueries()).isLessThanOrEqualTo((long) (perSecond * (seconds + 2)));
            assertThat(counted.cacheEntries()).isLessThanOrEqualTo(2000);
            node.awaitNothingHeld();
            memory.sawAtMost(16);
        }
    }

    private static void flood(
            int logins,
            int clients,
            AtomicInteger next,
            TestNode node,
            Map<String, AtomicInteger> answers,
            List<Throwable> surprises) {
        int end = next.get() + logins;
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                try {
                    for (int number = next.getAndIncrement(); number < end; number = next.getAndIncrement()) {
                        answers.computeIfAbsent(answer(node, "nobody" + number), _ -> new AtomicInteger())
                                .incrementAndGet();
                    }
                } catch (RuntimeException | AssertionError e) {
                    surprises.add(e);
                }
            }));
        }
        threads.forEach(thread -> {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        next.set(end);
    }

    private static void login(TestNode node, String user) {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.logsIn(user, PASSWORD, "postgres");
        }
    }

    /// The SQLSTATE by which a login without a password is refused. A client that computes none is faster.
    private static String answer(TestNode node, String user) {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.sendsStartup(user, "postgres");
            BackendMessage first = client.expectsAny();
            if (first instanceof ErrorResponse refusal) {
                return refusal.sqlState().code();
            }
            assertThat(first).isInstanceOf(AuthenticationSasl.class);
            client.sends(new SaslInitialResponse(
                    "SCRAM-SHA-256", Optional.of(Bytes.ofText("n,,n=,r=abcdefghijklmnopqrstuvwx"))));
            String serverFirst =
                    client.expects(AuthenticationSaslContinue.class).data().toText();
            String nonce = serverFirst.substring(0, serverFirst.indexOf(','));
            String proof = Base64.getEncoder().encodeToString(new byte[32]);
            client.sends(new SaslResponse(Bytes.ofText("c=biws," + nonce + ",p=" + proof)));
            return client.expects(ErrorResponse.class).sqlState().code();
        }
    }
}
