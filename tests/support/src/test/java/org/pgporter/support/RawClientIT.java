package org.pgporter.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.FAILED;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.PortalSuspended;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;

/// The raw client against the real thing: what it believes about the protocol is what PostgreSQL does.
class RawClientIT {
    @ParameterizedTest
    @CsvSource({"OLDEST,md5", "OLDEST,scram-sha-256", "NEWEST,md5", "NEWEST,scram-sha-256"})
    void shouldLogInAsTheServerAsks(PostgresMajor major, String encryption) {
        // Given
        var postgres = TestPostgres.shared(major);
        var user = "raw_" + encryption;
        postgres.createUser(user, "sécret", encryption);

        try (var client = RawClient.connects(postgres)) {
            // When
            client.logsIn(user, "sécret", "postgres", "application_name", "raw");

            // Then
            assertThat(client.query("select current_user")).containsExactly(List.of(user));
            assertThat(client.parameterStatus()).containsEntry("application_name", "raw");
            assertThat(client.backendKey().secret().size()).isEqualTo(4);
        }
        try (var client = RawClient.connects(postgres)) {
            var error = client.logsInExpectingError(user, "wrong", "postgres");
            assertThat(error.sqlState().code()).isEqualTo("28P01");
            client.expectsClosed();
        }
    }

    @Test
    void shouldLogInWithAPasswordInClear() {
        try (var postgres =
                TestPostgres.newest().hba("host all all all password").start()) {
            postgres.createUser("clear", "secret", "scram-sha-256");
            try (var client = RawClient.connects(postgres)) {
                client.logsIn("clear", "secret", "postgres");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldQuery(PostgresMajor major) {
        try (var client = superuser(major)) {
            client.sendsQuery("select 1 as one, null as none");
            assertThat(client.expects(RowDescription.class).columns()).hasSize(2);
            client.expectsRow("1", "null");
            client.expectsCommandComplete("SELECT 1");
            client.expectsReadyForQuery(IDLE);

            assertThat(client.query("select 1; select 2")).containsExactly(List.of("1"), List.of("2"));
            assertThat(client.queryExpectingError("select 1 from nowhere").message())
                    .contains("nowhere");
            client.query("begin");
            client.sendsQuery("select 1/0");
            client.expectsError("22012");
            client.expectsReadyForQuery(FAILED);
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSpeakTheExtendedProtocol(PostgresMajor major) {
        try (var client = superuser(major)) {
            // In separate writes
            client.sendsParse("twice", "select n from generate_series(1, $1::int) n")
                    .sendsDescribe(Target.STATEMENT, "twice")
                    .sendsBind("", "twice", "3")
                    .sendsExecute("", 2)
                    .sendsExecute("")
                    .sendsSync();
            client.expects(ParseComplete.class);
            assertThat(client.expectsParameterDescription()).containsExactly(23);
            client.expects(RowDescription.class);
            client.expects(BindComplete.class);
            client.expectsRow("1");
            client.expectsRow("2");
            client.expects(PortalSuspended.class);
            client.expectsRow("3");
            client.expectsCommandComplete("SELECT 1");
            client.expectsReadyForQuery(IDLE);

            // In one write
            client.sends(
                    new Parse("", "select $1", List.of()),
                    RawClient.bind("", "", "x"),
                    new Execute("", 0),
                    new Sync(),
                    new Query("begin"));
            client.expects(new ParseComplete());
            client.expects(new BindComplete());
            client.expectsRow("x");
            client.expectsCommandComplete("SELECT 1");
            client.expectsReadyForQuery(IDLE);
            client.expectsCommandComplete("BEGIN");
            client.expectsReadyForQuery(IN_TRANSACTION);
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldCancelWhatRuns(PostgresMajor major) {
        try (var client = superuser(major)) {
            client.sendsQuery("select pg_sleep(60)");
            await().until(() -> TestPostgres.shared(major)
                            .rows(
                                    "select 1 from pg_stat_activity where pid = ? and wait_event = 'PgSleep'",
                                    client.backendKey().processId())
                            .size()
                    == 1);

            client.cancel();

            client.expects(RowDescription.class);
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
        }
    }

    @Test
    void shouldGetALongKeyInProtocol32() {
        try (var client = RawClient.connects(TestPostgres.shared()).speaks(ProtocolVersion.V3_2)) {
            client.logsIn("postgres", "", "postgres");

            assertThat(client.backendKey().secret().size()).isEqualTo(32);
        }
    }

    @Test
    void shouldCopyInAndReportTheError() {
        try (var client = superuser(PostgresMajor.NEWEST)) {
            client.query("create temp table t (a int)");
            client.sendsQuery("copy t from stdin");
            client.expects(CopyInResponse.class);
            client.sendsCopyData("1\n2\n").sendsCopyDone();
            client.expectsCommandComplete("COPY 2");
            client.expectsReadyForQuery(IDLE);

            client.sendsQuery("copy t from stdin");
            client.expects(CopyInResponse.class);
            client.sendsCopyFail("changed my mind");
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
        }
    }

    @Test
    void shouldLayAsideWhatMayComeAtAnyTime() {
        try (var client = superuser(PostgresMajor.NEWEST)) {
            client.query("listen news; do $$ begin raise notice 'hear, hear'; end $$; notify news, 'today'");

            assertThat(client.expects(NoticeResponse.class).fields()).containsEntry('M', "hear, hear");
            assertThat(client.expects(NotificationResponse.class).payload()).isEqualTo("today");
            client.query("set application_name = 'changed'");
            assertThat(client.parameterStatus()).containsEntry("application_name", "changed");
        }
    }

    @Test
    void shouldSendBytesOneByOne() {
        try (var client = superuser(PostgresMajor.NEWEST)) {
            client.sendsSlowly(WireSocket.encoded(new Query("select 'slow'")), 1);

            client.expects(RowDescription.class);
            client.expectsRow("slow");
        }
    }

    @Test
    void shouldConnectThroughTheUnixSocket() {
        var postgres = TestPostgres.shared();
        postgres.createUser("over_unix", "secret", "scram-sha-256");

        try (var client = RawClient.connects(postgres.socketDirectory(), postgres.port())) {
            client.logsIn("over_unix", "secret", "postgres");

            assertThat(client.query("select coalesce(inet_client_addr()::text, 'unix')"))
                    .containsExactly(List.of("unix"));
        }
    }

    @Test
    void shouldBeRefusedEncryptionAndSpeakOn() {
        try (var client = RawClient.connects(TestPostgres.shared())) {
            assertThat(client.sendsSslRequest()).isEqualTo('N');
            assertThat(client.sendsGssEncRequest()).isEqualTo('N');
            client.logsIn("postgres", "", "postgres");
        }
    }

    @Test
    void shouldSeeTheServerClose() {
        var postgres = TestPostgres.shared();
        try (var client = superuser(PostgresMajor.NEWEST);
                var garbage = RawClient.connects(postgres)) {
            postgres.sql("select pg_terminate_backend(" + client.backendKey().processId() + ")");
            client.expectsError("57P01");
            client.expectsClosed();

            garbage.sendsRaw("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            garbage.expectsClosed();
        }
    }

    @Test
    void shouldShowTheConversationWhenItFails() {
        try (var client = superuser(PostgresMajor.NEWEST)) {
            client.sendsQuery("select 1");
            client.expects(RowDescription.class);

            assertThatThrownBy(() -> client.expectsRow("2"))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("expected the row [2], got [1]")
                    .hasMessageContaining("F Query \"select 1\"")
                    .hasMessageContaining("B ReadyForQuery I")
                    .hasMessageContaining("B DataRow \"1\"");
        }
    }

    private static RawClient superuser(PostgresMajor major) {
        return RawClient.connects(TestPostgres.shared(major)).logsIn("postgres", "", "postgres");
    }
}
