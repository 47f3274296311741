package org.pgporter.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.CopyBothResponse;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.support.PgTools;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.StopMode;
import org.pgporter.support.TestPostgres;

/// Replication from a real PostgreSQL through a node in transaction mode: commands, both kinds of streams, and
/// PostgreSQL's own programs for it.
class ReplicationPostgresIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Map<PostgresMajor, TestPostgres> SERVERS = new EnumMap<>(PostgresMajor.class);

    @TempDir
    private Path folder = Path.of("");

    @AfterAll
    static void stopServers() {
        SERVERS.values().forEach(TestPostgres::close);
        SERVERS.clear();
    }

    private static Proxied given(PostgresMajor major) {
        TestPostgres postgres = SERVERS.computeIfAbsent(
                major,
                it -> TestPostgres.of(it)
                        .setting("wal_level", "logical")
                        .hba("host all all all md5", "host replication all all md5", "local replication all md5")
                        .start());
        Proxied proxied =
                Proxied.start(postgres, PoolMode.TRANSACTION, "replication", 4, node -> node.pools(pools -> pools));
        proxied.sql("alter role " + proxied.name() + " replication");
        return proxied;
    }

    private static RawClient connection(Proxied proxied) {
        return RawClient.connects(proxied.node().host(), proxied.node().port());
    }

    private static RawClient replica(Proxied proxied, String database, String value) {
        return connection(proxied)
                .logsIn(
                        proxied.name(),
                        Proxied.PASSWORD,
                        database,
                        "replication",
                        value,
                        "application_name",
                        "replica of " + value);
    }

    // ---- sessions ------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSpeakToAWalsenderOfItsOwn_checklist76(PostgresMajor major) {
        try (Proxied proxied = given(major);
                RawClient ordinary = connection(proxied).logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
                RawClient physical = replica(proxied, "replication", "true");
                RawClient logical = replica(proxied, proxied.name(), "database")) {
            String pooled = ordinary.query("select pg_backend_pid()").getFirst().getFirst();

            // systemid, timeline, xlogpos, dbname
            assertThat(physical.query("IDENTIFY_SYSTEM").getFirst().get(3)).isEqualTo("null");
            assertThat(logical.query("IDENTIFY_SYSTEM").getFirst().get(3)).isEqualTo(proxied.name());
            assertThat(physical.query("SHOW application_name")).containsExactly(List.of("replica of true"));
            assertThat(physical.queryExpectingError("select 1").message()).contains("physical replication");
            assertThat(logical.query("select current_database()")).containsExactly(List.of(proxied.name()));
            assertThat(logical.query("select pg_backend_pid()").getFirst().getFirst())
                    .isNotEqualTo(pooled);
            logical.sendsParse("", "select 1").sendsSync();
            assertThat(logical.expectsError("08P01").message()).contains("replication connection");
            logical.expectsReadyForQuery(IDLE);
            assertThat(walsenders(proxied)).hasSize(2);
            assertThat(proxied.node().node().permitsHeld(proxied.name(), proxied.name()))
                    .isEqualTo(3);

            physical.terminates();
            logical.closes();
            await().atMost(PATIENCE).until(() -> walsenders(proxied).isEmpty());
            assertThat(ordinary.query("select pg_backend_pid()").getFirst().getFirst())
                    .isEqualTo(pooled);
            await().atMost(PATIENCE)
                    .until(() -> proxied.node().node().permitsHeld(proxied.name(), proxied.name()) == 1);
        }
    }

    private static List<List<String>> walsenders(Proxied proxied) {
        return proxied.postgres()
                .rows(
                        "select pid from pg_stat_activity where backend_type = 'walsender' and usename = ?",
                        proxied.name());
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSayWhatPostgresSaysToWhoMayNotReplicate_checklist17(PostgresMajor major) {
        try (Proxied proxied = given(major);
                RawClient client = connection(proxied)) {
            proxied.sql("alter role " + proxied.name() + " noreplication");
            var error = client.logsInExpectingError(
                    proxied.name(), Proxied.PASSWORD, proxied.name(), "replication", "true");
            assertThat(error.sqlState().code()).isEqualTo("42501");
            assertThat(error.fields()).containsEntry('S', "FATAL");
            client.expectsClosed();
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldStreamWhatIsDecoded_checklist76(PostgresMajor major) {
        try (Proxied proxied = given(major);
                RawClient ordinary = connection(proxied).logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
                RawClient logical = replica(proxied, proxied.name(), "database")) {
            ordinary.query("create table decoded (t text)");
            // The slot is temporary: it lives as long as the walsender, which is to say the session.
            assertThat(logical.query("CREATE_REPLICATION_SLOT decoded TEMPORARY LOGICAL test_decoding"))
                    .hasSize(1);
            logical.sendsQuery("START_REPLICATION SLOT decoded LOGICAL 0/0 (\"skip-empty-xacts\" '1')");
            logical.expects(CopyBothResponse.class);

            for (int round = 0; round < 3; round++) {
                String text = "round " + round;
                ordinary.query("insert into decoded values ('" + text + "')");
                awaitData(logical, text);
            }
            logical.sends(statusUpdate());
            logical.sends(new CopyDone());
            endOfStream(logical);
            assertThat(logical.query("select slot_name from pg_replication_slots where temporary and active"))
                    .containsExactly(List.of("decoded"));
            logical.query("DROP_REPLICATION_SLOT decoded");
            ordinary.query("drop table decoded");
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldEndTheWalsenderOfAClientThatVanishesWhileItStreams_checklist76(PostgresMajor major) {
        try (Proxied proxied = given(major)) {
            for (boolean reset : new boolean[] {true, false}) {
                RawClient physical = replica(proxied, "", "true");
                physical.sendsQuery("START_REPLICATION " + startOfWal(proxied));
                physical.expects(CopyBothResponse.class);
                physical.expects(CopyData.class);
                if (reset) {
                    physical.resets();
                } else {
                    physical.closes();
                }
                await().atMost(PATIENCE).until(() -> walsenders(proxied).isEmpty());
            }
        }
    }

    /// The first byte of the segment that is being written: far enough back that it is there.
    private static String startOfWal(Proxied proxied) {
        return proxied.postgres()
                .rows("select lsn - (lsn - '0/0'::pg_lsn) % (16 * 1024 * 1024) from pg_current_wal_lsn() lsn")
                .getFirst()
                .getFirst();
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldCancelAStream(PostgresMajor major) {
        try (Proxied proxied = given(major);
                RawClient physical = replica(proxied, "", "on")) {
            physical.sendsQuery("START_REPLICATION " + startOfWal(proxied));
            physical.expects(CopyBothResponse.class);
            physical.expects(CopyData.class);

            physical.cancel();

            BackendMessage message = physical.expectsAny();
            while (message instanceof CopyData) {
                message = physical.expectsAny();
            }
            assertThat(message)
                    .isInstanceOfSatisfying(
                            org.pgporter.protocol.message.ErrorResponse.class,
                            error -> assertThat(error.sqlState().code()).isEqualTo("57014"));
            physical.expectsReadyForQuery(IDLE);
            assertThat(physical.query("IDENTIFY_SYSTEM")).hasSize(1);
        }
    }

    @Test
    void shouldFollowATimelineToItsEnd() throws IOException {
        try (TestPostgres postgres = TestPostgres.newest()
                        .hba("host all all all md5", "host replication all all md5")
                        .start();
                Proxied proxied = Proxied.start(postgres, PoolMode.TRANSACTION, "timeline", 2, node -> node)) {
            proxied.sql("alter role " + proxied.name() + " replication");
            String start = startOfWal(proxied);
            postgres.stop(StopMode.FAST);
            Files.createFile(postgres.socketDirectory().resolve("data/recovery.signal"));
            Files.writeString(
                    postgres.socketDirectory().resolve("data/postgresql.auto.conf"), "restore_command = 'false'\n");
            postgres.start();
            postgres.awaitReady();
            await().atMost(PATIENCE)
                    .until(() -> postgres.rows("select pg_is_in_recovery()").equals(List.of(List.of("f"))));

            try (RawClient physical = replica(proxied, "replication", "true")) {
                assertThat(physical.query("IDENTIFY_SYSTEM").getFirst().get(1)).isEqualTo("2");
                assertThat(physical.query("TIMELINE_HISTORY 2").getFirst().getFirst())
                        .isEqualTo("00000002.history");
                physical.sendsQuery("START_REPLICATION " + start + " TIMELINE 1");
                physical.expects(CopyBothResponse.class);
                BackendMessage message = physical.expectsAny();
                while (message instanceof CopyData) {
                    message = physical.expectsAny();
                }
                assertThat(message).isEqualTo(new CopyDone());
                physical.sends(new CopyDone());
                physical.expects(org.pgporter.protocol.message.RowDescription.class);
                // The next timeline and where it begins.
                assertThat(physical.expects(DataRow.class).values().getFirst().map(Bytes::toText))
                        .contains("2");
                assertThat(endOfStream(physical)).isNotEmpty();
                assertThat(physical.query("IDENTIFY_SYSTEM").getFirst().get(1)).isEqualTo("2");
            }
        }
    }

    // ---- programs ------------------------------------------------------------------------------------------------

    @Test
    void shouldServePgBasebackup() throws IOException {
        try (Proxied proxied = given(PostgresMajor.OLDEST)) {
            Path copy = folder.resolve("copy");

            // Two connections at one time: the files come on one, what is written meanwhile on the other.
            run(proxied, "pg_basebackup", "-D", copy.toString(), "-X", "stream", "-c", "fast", "-w");

            assertThat(copy.resolve("PG_VERSION")).exists();
            assertThat(copy.resolve("backup_manifest")).exists();
            assertThat(filesIn(copy.resolve("pg_wal"))).isNotEmpty();
            assertThat(walsenders(proxied)).isEmpty();
        }
    }

    @Test
    void shouldServePgReceivewal() throws IOException {
        try (Proxied proxied = given(PostgresMajor.OLDEST)) {
            Path target = Files.createDirectory(folder.resolve("wal"));
            run(proxied, "pg_receivewal", "--slot=received", "--create-slot", "-w");
            String end = proxied.postgres()
                    .rows("select pg_current_wal_insert_lsn() + 1")
                    .getFirst()
                    .getFirst();
            List<String> command =
                    List.of("pg_receivewal", "--slot=received", "-D", target.toString(), "--endpos=" + end, "-n", "-w");
            try (Program receiving = Program.start(environment(proxied), command)) {
                await().atMost(PATIENCE)
                        .until(() -> !receiving.isAlive()
                                || !proxied.postgres()
                                        .rows("select pid from pg_stat_replication")
                                        .isEmpty());
                // It has to be given something to receive until it has had enough.
                await().atMost(PATIENCE).until(() -> {
                    proxied.sql(
                            "set synchronous_commit = on",
                            "create table received ()",
                            "drop table received",
                            "select pg_switch_wal()");
                    return !receiving.isAlive();
                });
                assertThat(receiving.awaitExit()).as(receiving.toString()).isZero();
            }
            assertThat(filesIn(target)).isNotEmpty();
            run(proxied, "pg_receivewal", "--slot=received", "--drop-slot", "-w");
        }
    }

    @Test
    void shouldServePgRecvlogical() {
        try (Proxied proxied = given(PostgresMajor.OLDEST)) {
            proxied.sql("create table if not exists recvlogical (t text)");
            String[] common = {"-d", proxied.name(), "--slot=recvlogical", "-w"};
            run(proxied, "pg_recvlogical", with(common, "--create-slot", "-P", "test_decoding"));
            proxied.sql("set synchronous_commit = on", "insert into recvlogical values ('decoded for a program')");
            String end = proxied.postgres()
                    .rows("select pg_current_wal_lsn()")
                    .getFirst()
                    .getFirst();

            PgTools.Result result =
                    run(proxied, "pg_recvlogical", with(common, "--start", "--endpos=" + end, "-n", "-f", "-"));

            assertThat(result.stdout()).contains("decoded for a program");
            run(proxied, "pg_recvlogical", with(common, "--drop-slot"));
        }
    }

    private static PgTools.Result run(Proxied proxied, String program, String... arguments) {
        var tool = PgTools.named(program);
        assumeTrue(tool.isPresent(), program + " is not on the PATH: install the PostgreSQL client programs");
        PgTools.Result result = tool.get().run(environment(proxied), arguments);
        assertThat(result.exitCode()).as(result.stderr()).isZero();
        return result;
    }

    /// The programs that do not need a database ask for one called `replication`.
    private static Map<String, String> environment(Proxied proxied) {
        Map<String, String> environment = new java.util.HashMap<>(proxied.throughNode());
        environment.remove("PGDATABASE");
        return environment;
    }

    private static String[] with(String[] common, String... more) {
        return Stream.concat(Arrays.stream(common), Arrays.stream(more)).toArray(String[]::new);
    }

    private static List<Path> filesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    // ---- words ---------------------------------------------------------------------------------------------------

    private static void awaitData(RawClient client, String text) {
        while (!new String(client.expects(CopyData.class).data().toArray(), UTF_8).contains(text)) {
            // Something else, such as a keepalive or the begin of a transaction.
        }
    }

    /// Reads to ReadyForQuery.
    ///
    /// @return the tags of the commands that ended
    private static List<String> endOfStream(RawClient client) {
        List<String> tags = new java.util.ArrayList<>();
        for (BackendMessage message = client.expectsAny();
                !(message instanceof ReadyForQuery);
                message = client.expectsAny()) {
            if (message instanceof CommandComplete(var tag)) {
                tags.add(tag);
            }
        }
        return tags;
    }

    /// "r": nothing written, flushed or applied yet.
    private static CopyData statusUpdate() {
        return new CopyData(Bytes.of(ByteBuffer.allocate(34).put((byte) 'r').array()));
    }
}
