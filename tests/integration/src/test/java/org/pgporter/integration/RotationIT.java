package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.RuleSource;
import org.pgporter.config.UserConfig;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Passwords that are being changed: for a while two of them are good, on both legs.
class RotationIT {
    @ParameterizedTest
    @ValueSource(strings = {"md5", "scram-sha-256"})
    void shouldFollowPostgresThroughAChangeOfTheServersPassword(String encryption) {
        String user = "rotated_" + encryption.substring(0, 3);
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(user, "old", encryption);
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(
                        "postgres",
                        UserConfig.of(user, StoredCredential.parse("of the client"))
                                .withServerLogin(user, Secret.of("new"))
                                .withPreviousServerPassword(Secret.of("old")))
                .pools(pools -> pools.withPoolSize(3))
                .start()) {
            assertThat(refusalsWhile(user, () -> serve(node, user, 1))).isEqualTo(1);
            // The second and third connection begin with what was taken last.
            assertThat(refusalsWhile(user, () -> serve(node, user, 3))).isZero();

            postgres.sql("set password_encryption = '" + encryption + "'; alter role " + user + " password 'new'");
            terminateBackends(user);
            assertThat(refusalsWhile(user, () -> serve(node, user, 1))).isEqualTo(1);
            assertThat(refusalsWhile(user, () -> serve(node, user, 3))).isZero();
        }
    }

    @Test
    void shouldGiveUpWhenPostgresTakesNeither() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("rotated_away", "newest", "scram-sha-256");
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user(
                                "postgres",
                                UserConfig.of("rotated_away", StoredCredential.parse("of the client"))
                                        .withServerLogin("rotated_away", Secret.of("new"))
                                        .withPreviousServerPassword(Secret.of("old")))
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port())) {
            assertThat(refusalsWhile(
                            "rotated_away",
                            () -> assertThat(client.logsInExpectingError("rotated_away", "of the client", "postgres")
                                            .sqlState()
                                            .code())
                                    .isEqualTo("28P01")))
                    .isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"md5", "scram-sha-256", "plain"})
    void shouldLetInClientsWithEitherPassword(String encryption) {
        String user = "either_" + encryption.substring(0, 3);
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(user, "new", encryption.equals("plain") ? "scram-sha-256" : encryption);
        String stored = encryption.equals("plain") ? "new" : postgres.secretOf(user);
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(
                        "postgres",
                        UserConfig.of(user, StoredCredential.parse(stored))
                                .withPreviousPassword(StoredCredential.parse("old"))
                                .withServerLogin(user, Secret.of("new")))
                .start()) {
            for (String password : new String[] {"new", "old"}) {
                try (RawClient client = RawClient.connects(node.host(), node.port())) {
                    client.logsIn(user, password, "postgres");
                    assertThat(client.query("select 1")).isNotEmpty();
                    client.terminates();
                }
            }
            try (RawClient client = RawClient.connects(node.host(), node.port())) {
                assertThat(client.logsInExpectingError(user, "older", "postgres")
                                .sqlState()
                                .code())
                        .isEqualTo("28P01");
            }
        }
    }

    /// A rule that demands SCRAM is not content with MD5, however many hashes there are.
    @Test
    void shouldNotFallBackToMd5WhereScramIsDemanded() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("rotated_hash", "new", "md5");
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user(
                                "postgres",
                                UserConfig.of("rotated_hash", StoredCredential.parse(postgres.secretOf("rotated_hash")))
                                        .withPreviousPassword(StoredCredential.parse("old")))
                        .general(general -> general.withAccess(general.access()
                                .withPgHba(RuleSource.of("host all all all scram-sha-256", "rules.yaml"))))
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port())) {
            assertThat(client.logsInExpectingError("rotated_hash", "new", "postgres")
                            .sqlState()
                            .code())
                    .isEqualTo("28P01");
            assertThat(client.transcript()).contains("SCRAM-SHA-256");
        }
    }

    /// As many clients at a time as that, each with a backend of its own.
    private static void serve(TestNode node, String user, int clients) {
        RawClient[] open = new RawClient[clients];
        for (int i = 0; i < clients; i++) {
            open[i] = RawClient.connects(node.host(), node.port());
            open[i].logsIn(user, "of the client", "postgres");
            open[i].query("begin");
            assertThat(open[i].query("select current_user").getFirst()).containsExactly(user);
        }
        for (RawClient client : open) {
            client.query("rollback");
            client.terminates();
            client.close();
        }
    }

    private static long refusalsWhile(String user, Runnable action) {
        long before = refusals(user);
        action.run();
        return refusals(user) - before;
    }

    /// What PostgreSQL has said about it.
    private static long refusals(String user) {
        return TestPostgres.shared()
                .log()
                .lines()
                .filter(line -> line.contains("password authentication failed for user \"" + user + "\""))
                .count();
    }

    private static void terminateBackends(String user) {
        TestPostgres.shared()
                .rows("select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = ?", user);
    }
}
