package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.config.AuthQueryOptions;
import org.pgporter.config.PoolKind;
import org.pgporter.config.UserConfig;
import org.pgporter.node.authquery.AuthQuery;
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.NegotiateProtocolVersion;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Users that stand in no configuration.
class AuthQueryIT {
    private static final String DATABASE = "aq_shop";
    private static final String FINDER = "aq_finder";
    private static final String FINDER_PASSWORD = "finder's";
    private static final String PASSWORD = "correct horse";

    /// The one that the documentation recommends.
    private static final String QUERY = "SELECT passwd, valuntil FROM public.aq_lookup($1)";

    @BeforeAll
    static void prepare() {
        for (PostgresMajor major : PostgresMajor.values()) {
            TestPostgres postgres = TestPostgres.shared(major);
            postgres.createUser(FINDER, FINDER_PASSWORD, "scram-sha-256");
            postgres.createUser("aq_app", "app's", "scram-sha-256");
            postgres.createDatabase(DATABASE, "aq_app");
            postgres.sqlIn(
                    DATABASE,
                    """
                    CREATE FUNCTION public.aq_lookup(uname text) RETURNS TABLE(passwd text, valuntil timestamptz)
                    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                    AS $$ SELECT passwd, valuntil::timestamptz FROM pg_shadow WHERE usename = uname $$""",
                    "REVOKE ALL ON FUNCTION public.aq_lookup(text) FROM public",
                    "GRANT EXECUTE ON FUNCTION public.aq_lookup(text) TO " + FINDER);
        }
    }

    private static AuthQueryConfig lookup() {
        return AuthQueryConfig.of(FINDER)
                .withPassword(Secret.of(FINDER_PASSWORD))
                .withQuery(QUERY);
    }

    private static AuthQueryConfig dedicated() {
        return lookup().withServerLogin("aq_app", Secret.of("app's"));
    }

    private static TestNode node(TestPostgres postgres, AuthQueryConfig config) {
        return builder(postgres, config).start();
    }

    private static TestNode.Builder builder(TestPostgres postgres, AuthQueryConfig config) {
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .database(DATABASE)
                .pool(DATABASE, pool -> pool.withAuthQuery(config));
    }

    // ---- both modes

    @ParameterizedTest
    @CsvSource({"OLDEST, md5", "OLDEST, scram-sha-256", "NEWEST, md5", "NEWEST, scram-sha-256"})
    void shouldLetUsersInAsThemselves(String which, String encryption) {
        PostgresMajor major = which.equals("OLDEST") ? PostgresMajor.OLDEST : PostgresMajor.NEWEST;
        TestPostgres postgres = TestPostgres.shared(major);
        String user = "aq_self_" + encryption;
        postgres.createUser(user, PASSWORD, encryption);
        try (TestNode node = node(postgres, lookup());
                RawClient client = connect(node);
                RawClient again = connect(node);
                RawClient liar = connect(node)) {
            client.logsIn(user, PASSWORD, DATABASE);
            assertThat(client.query("select current_user")).containsExactly(List.of(user));
            // The next connection is opened without a client's help.
            client.queryExpectingError("select pg_terminate_backend(pg_backend_pid())");
            again.logsIn(user, PASSWORD, DATABASE);
            assertThat(again.query("select current_user")).containsExactly(List.of(user));

            assertThat(code(liar.logsInExpectingError(user, "wrong", DATABASE))).isEqualTo("28P01");
            AuthQuery.Statistics counted = statistics(node);
            assertThat(counted.authSuccess()).isEqualTo(2);
            assertThat(counted.authFailure()).isEqualTo(1);
            assertThat(counted.executorQueries()).isLessThanOrEqualTo(2);
            assertThat(counted.dynamicPoolsCurrent()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldLetAllUsersShareTheConnectionsOfOne(PostgresMajor major) {
        TestPostgres postgres = TestPostgres.shared(major);
        postgres.createUser("aq_shares_md5", PASSWORD, "md5");
        postgres.createUser("aq_shares_scram", PASSWORD, "scram-sha-256");
        try (TestNode node = node(
                        postgres,
                        dedicated().withOptions(AuthQueryOptions.defaults().withPoolSize(1)));
                RawClient one = connect(node);
                RawClient other = connect(node)) {
            one.logsIn("aq_shares_md5", PASSWORD, DATABASE);
            other.logsIn("aq_shares_scram", PASSWORD, DATABASE);
            String pid = one.query("select pg_backend_pid()").getFirst().getFirst();

            assertThat(one.query("select current_user")).containsExactly(List.of("aq_app"));
            assertThat(other.query("select current_user, pg_backend_pid()")).containsExactly(List.of("aq_app", pid));
            assertThat(node.node().permitsHeld(new PoolKey(DATABASE, "aq_app", PoolKind.SHARED)))
                    .isEqualTo(1);
            assertThat(statistics(node).dynamicPoolsCreated()).isEqualTo(1);
        }
    }

    /// A configured user of the name of `server_user` has its own connections, and its proof opens no
    /// shared one.
    @Test
    void shouldKeepTheSharedPoolApartFromAConfiguredUserOfItsName() { // checklist 29
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_beside", PASSWORD, "scram-sha-256");
        try (TestNode node = builder(postgres, dedicated())
                        .user(DATABASE, "aq_app", postgres.secretOf("aq_app"))
                        .start();
                RawClient configured = connect(node);
                RawClient dynamic = connect(node)) {
            configured.logsIn("aq_app", "app's", DATABASE);
            dynamic.logsIn("aq_beside", PASSWORD, DATABASE);
            String pid = configured.query("select pg_backend_pid()").getFirst().getFirst();
            assertThat(dynamic.query("select pg_backend_pid()")).doesNotContain(List.of(pid));
            assertThat(node.node().permitsHeld(DATABASE, "aq_app")).isEqualTo(1);
        }
    }

    @Test
    void shouldLetAConfiguredUserGoBeforeOneOfTheSameName() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_both", PASSWORD, "scram-sha-256");
        try (TestNode node = builder(postgres, lookup())
                        .user(
                                DATABASE,
                                UserConfig.of("aq_both", StoredCredential.parse("configured"))
                                        .withServerLogin("aq_app", Secret.of("app's")))
                        .start();
                RawClient configured = connect(node);
                RawClient dynamic = connect(node)) {
            configured.logsIn("aq_both", "configured", DATABASE);
            assertThat(configured.query("select current_user")).containsExactly(List.of("aq_app"));
            assertThat(code(dynamic.logsInExpectingError("aq_both", PASSWORD, DATABASE)))
                    .isEqualTo("28P01");
            assertThat(statistics(node).executorQueries()).isZero();
        }
    }

    // ---- who is not let in

    @Test
    void shouldTellNobodyWhetherAUserExists() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_exists", PASSWORD, "scram-sha-256");
        try (TestNode node = node(postgres, lookup());
                RawClient known = connect(node);
                RawClient unknown = connect(node)) {
            ErrorResponse wrong = known.logsInExpectingError("aq_exists", "wrong", DATABASE);
            ErrorResponse nobody = unknown.logsInExpectingError("aq_nobody", "wrong", DATABASE);
            assertThat(code(wrong)).isEqualTo("28P01");
            assertThat(nobody.fields())
                    .isEqualTo(wrong.with('M', wrong.message().replace("aq_exists", "aq_nobody"))
                            .fields());
            assertThat(kinds(unknown)).isEqualTo(kinds(known));
        }
    }

    /// Where all who were found have MD5, unknown users are asked for MD5, too.
    @Test
    void shouldAskUnknownUsersAsTheOthersAreAsked() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_kind", PASSWORD, "md5");
        try (TestNode node = node(postgres, lookup());
                RawClient known = connect(node);
                RawClient unknown = connect(node)) {
            known.logsIn("aq_kind", PASSWORD, DATABASE);
            unknown.sendsStartup("aq_of_no_kind", DATABASE);
            unknown.expects(AuthenticationMd5Password.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "' or usename = 'postgres",
                "aq_x'; drop role aq_app; --",
                "$1",
                "aq\\_exists",
                "aq_",
                "aq_0123456789012345678901234567890123456789012345678901234567890123456789"
            })
    void shouldTakeANameForANameOnly(String name) {
        try (TestNode node = node(TestPostgres.shared(), lookup());
                RawClient client = connect(node)) {
            assertThat(code(client.logsInExpectingError(name, PASSWORD, DATABASE)))
                    .isEqualTo("28P01");
        }
    }

    /// A name is cut as PostgreSQL cuts it, before anything else: who comes in is who was looked up.
    @Test
    void shouldLookUpWhoALongNameStandsFor() {
        TestPostgres postgres = TestPostgres.shared();
        String longest = "aq_" + "n".repeat(60);
        postgres.createUser(longest, PASSWORD, "scram-sha-256");
        try (TestNode node = node(postgres, lookup());
                RawClient exact = connect(node);
                RawClient longer = connect(node);
                RawClient liar = connect(node)) {
            exact.logsIn(longest, PASSWORD, DATABASE);
            longer.logsIn(longest + "n", PASSWORD, DATABASE);
            assertThat(longer.query("select session_user")).containsExactly(List.of(longest));
            assertThat(code(liar.logsInExpectingError(longest + "n", "wrong", DATABASE)))
                    .isEqualTo("28P01");
            assertThat(statistics(node).executorQueries()).isEqualTo(1);
        }
    }

    @Test
    void shouldNotLetInWhosePasswordIsNoLongerValid() { // checklist 30, CVE-2025-2291
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_expired", PASSWORD, "scram-sha-256");
        postgres.createUser("aq_expires", PASSWORD, "scram-sha-256");
        postgres.sql("alter role aq_expired valid until '2020-01-01'", "alter role aq_expires valid until 'infinity'");
        for (AuthQueryConfig config :
                List.of(dedicated(), AuthQueryConfig.of("postgres").withServerLogin("aq_app", Secret.of("app's")))) {
            try (TestNode node = node(postgres, config);
                    RawClient valid = connect(node);
                    RawClient expired = connect(node)) {
                valid.logsIn("aq_expires", PASSWORD, DATABASE);
                assertThat(code(expired.logsInExpectingError("aq_expired", PASSWORD, DATABASE)))
                        .isEqualTo("28P01");
            }
        }
    }

    @Test
    void shouldReadTheCatalogWithoutAQueryOfItsOwn() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_catalog", PASSWORD, "scram-sha-256");
        postgres.createUser("aq_nologin", PASSWORD, "scram-sha-256");
        postgres.sql("alter role aq_nologin nologin");
        try (TestNode node = node(postgres, AuthQueryConfig.of("postgres"));
                RawClient client = connect(node);
                RawClient nologin = connect(node)) {
            client.logsIn("aq_catalog", PASSWORD, DATABASE);
            assertThat(code(nologin.logsInExpectingError("aq_nologin", PASSWORD, DATABASE)))
                    .isEqualTo("28P01");
        }
    }

    /// CVE-2025-12819 of PgBouncer: what a client wishes must not reach the connections of the lookups.
    @Test
    void shouldLookUpUnimpressedByWhatAClientWishes() { // checklist 18
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_wishes", PASSWORD, "md5");
        postgres.sqlIn(
                DATABASE,
                "create schema aq_evil",
                "create table aq_evil.pg_shadow as select usename, " + "'md5' || md5('evil' || usename) as passwd,"
                        + " valuntil from pg_shadow",
                "grant usage on schema aq_evil to public",
                "grant select on all tables in schema aq_evil to public");
        AuthQueryConfig naive =
                AuthQueryConfig.of("postgres").withQuery("SELECT passwd, valuntil FROM pg_shadow WHERE usename = $1");
        try (TestNode node = node(postgres, naive)) {
            for (String[] wish : new String[][] {
                {"search_path", "aq_evil,pg_catalog"},
                {"options", "-c search_path=aq_evil,pg_catalog"},
                {"role", "aq_app"}
            }) {
                node.node().authQuery().forgetAll();
                try (RawClient evil = connect(node);
                        RawClient honest = connect(node)) {
                    assertThat(code(evil.logsInExpectingError("aq_wishes", "evil", DATABASE, wish)))
                            .isEqualTo("28P01");
                    honest.logsIn("aq_wishes", PASSWORD, DATABASE);
                }
            }
        }
    }

    @Test
    void shouldReadWhatAQueryGives() { // checklist 29, 30
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_columns", PASSWORD, "scram-sha-256");
        Map<String, String> answers = new LinkedHashMap<>();
        answers.put("select passwd from pg_shadow where usename in ($1::name, 'aq_columns', 'aq_app')", "58000");
        answers.put("select passwd from pg_shadow where $1::text is not null", "58000");
        answers.put("select usename, passwd from pg_shadow where usename = $1 and false", "28P01");
        answers.put("select usename, usesysid from pg_shadow where usename = $1", "58000");
        answers.put("select null::text as passwd from pg_shadow where usename = $1", "28P01");
        answers.put("select '' as passwd from pg_shadow where usename = $1", "28P01");
        answers.put("select 'plain' as passwd from pg_shadow where usename = $1", "58000");
        answers.put("select 1 from no_such_table where $1 = 1", "58000");
        answers.put("select passwd as password, 'x' as other from pg_shadow where usename = $1", "in");
        answers.put("select passwd as whatever from pg_shadow where usename = $1", "in");
        TestNode.Builder builder = TestNode.inFrontOf(postgres.host(), postgres.port());
        int database = 0;
        for (String query : answers.keySet()) {
            builder.database("query" + database)
                    .pool(
                            "query" + database,
                            pool -> pool.withServerDatabase(DATABASE)
                                    .withAuthQuery(
                                            AuthQueryConfig.of("postgres").withQuery(query)));
            database++;
        }
        try (TestNode node = builder.start()) {
            database = 0;
            for (Map.Entry<String, String> expected : answers.entrySet()) {
                try (RawClient client = connect(node)) {
                    String answer = client.triesToLogIn("aq_columns", PASSWORD, "query" + database++)
                            .map(AuthQueryIT::code)
                            .orElse("in");
                    assertThat(answer).as(expected.getKey()).isEqualTo(expected.getValue());
                }
            }
        }
    }

    // ---- passwords that change

    @ParameterizedTest
    @ValueSource(strings = {"md5", "scram-sha-256"})
    void shouldTakeANewPasswordAndNoOldOne(String encryption) {
        TestPostgres postgres = TestPostgres.shared();
        String user = "aq_changes_" + encryption;
        postgres.createUser(user, PASSWORD, encryption);
        try (TestNode node = node(
                postgres, dedicated().withOptions(AuthQueryOptions.defaults().withMinInterval(Duration.ZERO)))) {
            login(node, user, PASSWORD);
            postgres.sql(
                    "set password_encryption = '" + encryption + "'", "alter role \"" + user + "\" password 'new one'");

            if (encryption.equals("md5")) {
                login(node, user, "new one"); // within the same login
            } else {
                // A SCRAM proof is made for the salt that the client was shown: the next login comes in.
                assertThat(refusal(node, user, "new one")).isEqualTo("28P01");
                login(node, user, "new one");
            }
            assertThat(refusal(node, user, PASSWORD)).as("the old one").isEqualTo("28P01");
        }
    }

    @Test
    void shouldNotAskForEachWrongPassword() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_guessed", PASSWORD, "scram-sha-256");
        try (TestNode node = builder(
                        postgres,
                        lookup().withOptions(AuthQueryOptions.defaults().withMinInterval(Duration.ofHours(1))))
                .general(
                        general -> general.withLoginLimits(general.loginLimits().withLoginFailureDelay(Duration.ZERO)))
                .start()) {
            login(node, "aq_guessed", PASSWORD);
            for (int i = 0; i < 20; i++) {
                assertThat(refusal(node, "aq_guessed", "wrong")).isEqualTo("28P01");
            }
            assertThat(statistics(node).executorQueries()).isEqualTo(1);
            assertThat(statistics(node).rateLimited()).isEqualTo(20);
        }
    }

    @Test
    void shouldAskAgainWhenTold() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_dropped", PASSWORD, "scram-sha-256");
        try (TestNode node = node(postgres, dedicated())) {
            login(node, "aq_dropped", PASSWORD);
            postgres.sql("drop role aq_dropped");
            login(node, "aq_dropped", PASSWORD); // remembered

            node.node().authQuery().forget(new CredentialKey(DATABASE, "aq_dropped"));
            assertThat(refusal(node, "aq_dropped", PASSWORD)).isEqualTo("28P01");

            postgres.createUser("aq_dropped", PASSWORD, "md5");
            assertThat(refusal(node, "aq_dropped", PASSWORD)).as("remembered").isEqualTo("28P01");
            node.node().authQuery().forgetAll();
            login(node, "aq_dropped", PASSWORD);
        }
    }

    /// In passthrough mode PostgreSQL itself finds out that what is remembered is old.
    @Test
    void shouldAskAgainWhenPostgresDoesNotTakeWhatIsRemembered() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_refused", PASSWORD, "scram-sha-256");
        try (TestNode node = node(
                postgres, lookup().withOptions(AuthQueryOptions.defaults().withMinInterval(Duration.ofHours(1))))) {
            login(node, "aq_refused", PASSWORD);
            postgres.sql(
                    "alter role aq_refused password 'new one'",
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'aq_refused'");
            await().untilAsserted(() -> assertThat(
                            node.node().permitsHeld(new PoolKey(DATABASE, "aq_refused", PoolKind.DYNAMIC)))
                    .isZero());
            try (RawClient old = connect(node)) {
                old.logsIn("aq_refused", PASSWORD, DATABASE);
                ErrorResponse said = old.queryExpectingError("select 1");
                assertThat(code(said)).isEqualTo("28P01");
                assertThat(said.fields().get('H')).contains("SCRAM secret");
            }
        }
    }

    // ---- SCRAM secrets of all kinds

    @ParameterizedTest
    @CsvSource({"NEWEST, 16, 4096", "NEWEST, 32, 4096", "NEWEST, 64, 10000", "NEWEST, 8, 1", "OLDEST, 32, 12345"})
    void shouldPassSecretsThroughWhateverTheirSaltAndIterations(String which, int saltLength, int iterations) {
        PostgresMajor major = which.equals("OLDEST") ? PostgresMajor.OLDEST : PostgresMajor.NEWEST;
        TestPostgres postgres = TestPostgres.shared(major);
        String user = "aq_salt_" + saltLength + "_" + iterations;
        byte[] salt = new byte[saltLength];
        ThreadLocalRandom.current().nextBytes(salt);
        String secret =
                ScramSecret.fromPassword(Secret.of(PASSWORD), salt, iterations).format();
        postgres.sql("create role " + user + " login password '" + secret + "'");
        assertThat(postgres.secretOf(user)).isEqualTo(secret);
        try (TestNode node = node(postgres, lookup());
                RawClient client = connect(node)) {
            client.logsIn(user, PASSWORD, DATABASE);
            client.queryExpectingError("select pg_terminate_backend(pg_backend_pid())");
            login(node, user, PASSWORD);
        }
    }

    @Test
    void shouldSayThatTheSecretsDiffer() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_differs", PASSWORD, "scram-sha-256");
        String other = ScramSecret.fromPassword(Secret.of(PASSWORD), new byte[16], 4096)
                .format();
        try (TestNode node =
                        node(postgres, lookup().withQuery("select '" + other + "' as passwd where $1::text <> ''"));
                RawClient client = connect(node)) {
            ErrorResponse error = client.logsInExpectingError("aq_differs", PASSWORD, DATABASE);
            assertThat(code(error)).isEqualTo("28P01");
            assertThat(error.message()).isEqualTo("password authentication failed for user \"aq_differs\"");
            assertThat(error.fields().get('H')).contains("SCRAM secret that PgPorter checks this user with differs");
        }
    }

    @Test
    void shouldLogInWithHashesWhereMd5IsAsked() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_finder_md5", FINDER_PASSWORD, "md5");
        postgres.createUser("aq_app_md5", "app's", "md5");
        postgres.createUser("aq_hashed", PASSWORD, "scram-sha-256");
        postgres.sqlIn(DATABASE, "grant execute on function public.aq_lookup(text) to aq_finder_md5");
        AuthQueryConfig hashes = AuthQueryConfig.of("aq_finder_md5")
                .withPassword(Secret.of(postgres.secretOf("aq_finder_md5")))
                .withQuery(QUERY)
                .withServerLogin("aq_app_md5", Secret.of(postgres.secretOf("aq_app_md5")));
        try (TestNode node = node(postgres, hashes);
                RawClient client = connect(node)) {
            client.logsIn("aq_hashed", PASSWORD, DATABASE);
            assertThat(client.query("select current_user")).containsExactly(List.of("aq_app_md5"));
        }
        String hash = postgres.secretOf("aq_app_md5");
        try (TestNode node = node(postgres, lookup().withServerLogin("aq_app", Secret.of(hash)));
                RawClient client = connect(node)) {
            ErrorResponse error = client.logsInExpectingError("aq_hashed", PASSWORD, DATABASE);
            assertThat(error.message())
                    .contains("SCRAM-SHA-256", "opens only MD5")
                    .doesNotContain(hash.substring(3));
        }
    }

    // ---- pools that come and go

    @Test
    void shouldCloseThePoolOfAUserWhoHasGone() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_leaves", PASSWORD, "scram-sha-256");
        PoolKey pool = new PoolKey(DATABASE, "aq_leaves", PoolKind.DYNAMIC);
        try (TestNode node = node(
                postgres,
                lookup().withOptions(AuthQueryOptions.defaults().withDynamicPoolIdleTimeout(Duration.ofMillis(1))))) {
            try (RawClient client = connect(node)) {
                client.logsIn("aq_leaves", PASSWORD, DATABASE);
                client.query("select 1");
                assertThat(statistics(node).dynamicPoolsCurrent()).isEqualTo(1);
            }
            await().untilAsserted(() ->
                    assertThat(statistics(node).dynamicPoolsCurrent()).isZero());
            assertThat(node.node().permitsHeld(pool)).isZero();
            login(node, "aq_leaves", PASSWORD);
            assertThat(statistics(node).dynamicPoolsCreated()).isEqualTo(2);
        }
    }

    @Test
    void shouldBoundThePoolsAndMakeRoom() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_room_1", PASSWORD, "scram-sha-256");
        postgres.createUser("aq_room_2", PASSWORD, "scram-sha-256");
        try (TestNode node =
                node(postgres, lookup().withOptions(AuthQueryOptions.defaults().withMaxDynamicPools(1)))) {
            try (RawClient first = connect(node);
                    RawClient second = connect(node)) {
                first.logsIn("aq_room_1", PASSWORD, DATABASE);
                assertThat(code(second.logsInExpectingError("aq_room_2", PASSWORD, DATABASE)))
                        .isEqualTo("53300");
                assertThat(first.query("select 1")).hasSize(1);
            }
            await().untilAsserted(() -> login(node, "aq_room_2", PASSWORD));
            await().untilAsserted(() ->
                    assertThat(statistics(node).dynamicPoolsDestroyed()).isEqualTo(1));
        }
    }

    @Test
    void shouldKeepConnectionsOfAUserOpenOnceItIsKnownHowTheyLogIn() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_warm", PASSWORD, "scram-sha-256");
        PoolKey pool = new PoolKey(DATABASE, "aq_warm", PoolKind.DYNAMIC);
        try (TestNode node =
                node(postgres, lookup().withOptions(AuthQueryOptions.defaults().withMinPoolSize(3)))) {
            login(node, "aq_warm", PASSWORD);
            await().untilAsserted(
                            () -> assertThat(node.node().permitsHeld(pool)).isEqualTo(3));
        }
    }

    @Test
    void shouldStartAUsersConnectionsWithItsSettings() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_settings", PASSWORD, "scram-sha-256");
        String query = "select passwd, '{\"work_mem\":\"7MB\",\"role\":\"postgres\",\"app.tenant\":\"blue\"}'::jsonb"
                + " as startup_parameters from pg_shadow where usename = $1";
        try (TestNode node = node(postgres, AuthQueryConfig.of("postgres").withQuery(query));
                RawClient client = connect(node)) {
            client.logsIn("aq_settings", PASSWORD, DATABASE);
            assertThat(client.query("select current_setting('work_mem'), current_setting('app.tenant'), current_user"))
                    .containsExactly(List.of("7MB", "blue", "aq_settings"));
            assertThat(statistics(node).startupParametersDropped()).isEqualTo(1);
        }
    }

    @Test
    void shouldCountTheClientsOfEachUserInASharedPool() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_counted_1", PASSWORD, "scram-sha-256");
        postgres.createUser("aq_counted_2", PASSWORD, "scram-sha-256");
        try (TestNode node = builder(postgres, dedicated())
                        .general(general -> general.withLimits(general.limits().withMaxUserClientConnections(1)))
                        .start();
                RawClient first = connect(node);
                RawClient second = connect(node);
                RawClient other = connect(node)) {
            first.logsIn("aq_counted_1", PASSWORD, DATABASE);
            assertThat(code(second.logsInExpectingError("aq_counted_1", PASSWORD, DATABASE)))
                    .isEqualTo("53300");
            other.logsIn("aq_counted_2", PASSWORD, DATABASE);
        }
    }

    // ---- what else clients do

    @Test
    void shouldNegotiateTheProtocolOnceWhileAUserIsLookedUp() { // checklist 12
        try (TestNode node = node(TestPostgres.shared(), lookup());
                RawClient client = connect(node).speaks(new ProtocolVersion(3, 9999))) {
            client.sendsStartup("aq_negotiates", DATABASE);
            client.expects(NegotiateProtocolVersion.class);
            client.expects(AuthenticationSasl.class);
        }
    }

    @Test
    void shouldLetReplicationIn() { // checklist 30
        try (TestPostgres own = TestPostgres.newest()
                        .hba("host all all all md5", "host replication all all md5")
                        .start();
                TestNode node = TestNode.inFrontOf(own.host(), own.port())
                        .database("postgres")
                        .pool("postgres", pool -> pool.withAuthQuery(AuthQueryConfig.of("postgres")))
                        .start()) {
            own.createUser("replicates", PASSWORD, "scram-sha-256");
            own.sql("alter role replicates replication");
            for (String kind : List.of("true", "database")) {
                try (RawClient client = connect(node)) {
                    client.logsIn("replicates", PASSWORD, "postgres", "replication", kind);
                    assertThat(client.query("IDENTIFY_SYSTEM")).hasSize(1);
                }
            }
        }
    }

    @Test
    void shouldNotMindAClientThatLeavesWhileItIsLookedUp() { // checklist 31
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_slowly", PASSWORD, "scram-sha-256");
        AuthQueryConfig slow = AuthQueryConfig.of("postgres")
                .withQuery("select passwd, pg_sleep(0.3) from pg_shadow where usename = $1");
        try (TestNode node = node(postgres, slow)) {
            for (int i = 0; i < 5; i++) {
                try (RawClient client = connect(node)) {
                    client.sendsStartup("aq_slowly", DATABASE);
                }
            }
            login(node, "aq_slowly", PASSWORD);
            assertThat(statistics(node).executorQueries())
                    .as("they all wait for one")
                    .isEqualTo(1);
        }
    }

    // ---- words

    private static RawClient connect(TestNode node) {
        return RawClient.connects(node.host(), node.port());
    }

    private static void login(TestNode node, String user, String password) {
        try (RawClient client = connect(node)) {
            client.logsIn(user, password, DATABASE);
        }
    }

    private static String refusal(TestNode node, String user, String password) {
        try (RawClient client = connect(node)) {
            return code(client.logsInExpectingError(user, password, DATABASE));
        }
    }

    private static String code(ErrorResponse error) {
        return error.sqlState().code();
    }

    private static AuthQuery.Statistics statistics(TestNode node) {
        return node.node().authQuery().statistics().getFirst();
    }

    /// The kinds of messages of a conversation, in order.
    private static List<String> kinds(RawClient client) {
        return client.transcript()
                .lines()
                .skip(1)
                .map(line -> line.strip().split(" ")[1])
                .toList();
    }
}
