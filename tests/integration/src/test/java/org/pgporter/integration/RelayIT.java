package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.protocol.message.TransactionStatus.FAILED;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.bindComplete;
import static org.pgporter.support.BackendMessages.closeComplete;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.emptyQueryResponse;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.fatalResponse;
import static org.pgporter.support.BackendMessages.noticeResponse;
import static org.pgporter.support.BackendMessages.notificationResponse;
import static org.pgporter.support.BackendMessages.parseComplete;
import static org.pgporter.support.BackendMessages.portalSuspended;
import static org.pgporter.support.BackendMessages.readyForQuery;
import static org.pgporter.support.BackendMessages.rowDescription;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.FunctionCall;
import org.pgporter.protocol.message.FunctionCallResponse;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;

/// Messages pass as they are, and a backend changes hands only when nothing is owed.
class RelayIT {
    // ---- when the backend is given back ------------------------------------------------------------------------

    @Test
    void shouldReleaseAfterTheLastOfPipelinedQueries() { // checklist 68
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();

            client.sends(new Query("a"), new Query("b"), new Query("c"));
            backend.expectsQuery("a");
            other.sendsQuery("select 'other'");
            backend.sends(Scene.answer("a"));
            Scene.expectsAnswer(client, "a");
            backend.expectsQuery("b");
            backend.sends(Scene.answer("b"));
            Scene.expectsAnswer(client, "b");
            backend.expectsQuery("c"); // and not the other's
            backend.sends(Scene.answer("c"));
            Scene.expectsAnswer(client, "c");

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldKeepTheBackendForATransaction() { // checklist 81
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();

            client.sendsQuery("begin");
            backend.expectsQuery("begin");
            backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
            client.expectsCommandComplete("BEGIN");
            client.expectsReadyForQuery(IN_TRANSACTION);
            other.sendsQuery("select 'other'");
            client.sendsQuery("oops");
            backend.expectsQuery("oops");
            backend.sends(errorResponse("42601", "syntax error"), readyForQuery(FAILED));
            client.expectsError("42601");
            client.expectsReadyForQuery(FAILED);
            client.sendsQuery("rollback");
            backend.expectsQuery("rollback");
            backend.sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));
            client.expectsCommandComplete("ROLLBACK");
            client.expectsReadyForQuery(IDLE);

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldAnswerFlushAtOnceAndKeepTheBackendUntilSync() { // checklist 71
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();

            client.sends(new Parse("", "select 1", List.of()), RawClient.bind("", ""), new Flush());
            backend.expectsParse("", "select 1");
            backend.expectsBind("", "");
            backend.expects(new Flush());
            backend.sends(parseComplete(), bindComplete());
            client.expects(parseComplete());
            client.expects(bindComplete());
            other.sendsQuery("select 'other'");

            client.sends(new Execute("", 1), new Flush());
            backend.expects(new Execute("", 1));
            backend.expects(new Flush());
            backend.sends(dataRow("1"), portalSuspended());
            client.expectsRow("1");
            client.expects(portalSuspended());
            client.sends(new Execute("", 0), new Sync());
            backend.expects(new Execute("", 0));
            backend.expectsSync();
            backend.sends(commandComplete("SELECT 0"), readyForQuery(IDLE));
            client.expectsCommandComplete("SELECT 0");
            client.expectsReadyForQuery(IDLE);

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldKeepTheBackendAfterAnErrorUntilTheDelayedSync() { // checklist 69
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();

            client.sends(new Parse("", "select oops", List.of()), RawClient.bind("", ""), new Execute("", 0));
            backend.expectsParse("", "select oops");
            backend.sends(errorResponse("42703", "no such column"));
            backend.expectsBind("", "");
            backend.expectsExecute("");
            client.expectsError("42703");
            other.sendsQuery("select 'other'");
            // The server skips what comes before the Sync, whatever it is.
            client.sends(new Parse("", "select 1", List.of()), new Query("select 2"));
            backend.expectsParse("", "select 1");
            backend.expectsQuery("select 2");
            client.sendsSync();
            backend.expectsSync();
            backend.sends(readyForQuery(IDLE));
            client.expectsReadyForQuery(IDLE);

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldReleaseAfterAQueryAndTheExtendedQueryBehindIt_checklist68() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();

            client.sends(new Query("a"), new Parse("", "b", List.of()), RawClient.bind("", ""), new Execute("", 0));
            backend.expectsQuery("a");
            backend.expectsParse("", "b");
            other.sendsQuery("select 'other'");
            backend.sends(Scene.answer("a"));
            Scene.expectsAnswer(client, "a");
            backend.sends(parseComplete(), bindComplete(), commandComplete("SELECT 0"));
            client.expects(parseComplete());
            client.expects(bindComplete());
            client.expectsCommandComplete("SELECT 0");
            backend.expectsBind("", "");
            backend.expectsExecute("");
            client.sendsSync();
            backend.expectsSync(); // and not the other's query
            backend.sends(readyForQuery(IDLE));
            client.expectsReadyForQuery(IDLE);

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldPassAQueryBetweenParseAndSync_checklist68_70() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();

            client.sends(new Parse("", "a", List.of()), new Query("b"), RawClient.bind("", ""), new Sync());
            backend.expectsParse("", "a");
            backend.expectsQuery("b");
            other.sendsQuery("select 'other'");
            backend.sends(parseComplete());
            backend.sends(Scene.answer("b"));
            client.expects(parseComplete());
            Scene.expectsAnswer(client, "b");
            // The simple query has destroyed the unnamed statement; that there is none left is made sure of.
            backend.expects(new Close(Target.STATEMENT, ""));
            backend.expectsBind("", "");
            backend.expectsSync();
            backend.sends(
                    closeComplete(),
                    errorResponse("26000", "unnamed prepared statement does not exist"),
                    readyForQuery(IDLE));
            client.expectsError("26000");
            client.expectsReadyForQuery(IDLE);

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldAnswerSyncsOneByOne() { // checklist 70, 72
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();

            client.sends(new Sync(), new Sync(), new Query(""), new Sync());
            for (int i = 0; i < 2; i++) {
                client.transcript();
                backend.expectsSync();
            }
            backend.expectsQuery("");
            backend.expectsSync();
            backend.sends(
                    readyForQuery(IDLE),
                    readyForQuery(IDLE),
                    emptyQueryResponse(),
                    readyForQuery(IDLE),
                    readyForQuery(IDLE));
            client.expectsReadyForQuery(IDLE);
            client.expectsReadyForQuery(IDLE);
            client.expects(emptyQueryResponse());
            client.expectsReadyForQuery(IDLE);
            client.expectsReadyForQuery(IDLE);
            Scene.converse(client, backend, "next");
        }
    }

    // ---- what passes -----------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 64})
    void shouldRelayRepliesSplitAnywhere(int chunk) { // checklist 73
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 'word'");
            backend.expectsQuery("select 'word'");

            backend.sendsSlowly(ServerConversation.encoded(Scene.answer("x".repeat(300))), chunk);

            Scene.expectsAnswer(client, "x".repeat(300));
            Scene.converse(client, backend, "next");
        }
    }

    /// `lo_tell` (`pg_proc.dat`): changes nothing of a session, so that the proxy has nothing to ask after it.
    private static final int LO_TELL = 958;

    @Test
    void shouldRelayAFunctionCall() { // checklist 77
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            FunctionCall call = new FunctionCall(LO_TELL, List.of(), List.of(Optional.of(Bytes.ofText("7"))), 0);

            client.sends(call);
            backend.expects(call);
            backend.sends(new FunctionCallResponse(Optional.of(Bytes.ofText("now"))), readyForQuery(IDLE));

            client.expects(new FunctionCallResponse(Optional.of(Bytes.ofText("now"))));
            client.expectsReadyForQuery(IDLE);
            Scene.converse(client, backend, "next");
        }
    }

    @Test
    void shouldRelayNoticesAndNotifications() { // checklist 109, 111
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("notify");
            backend.expectsQuery("notify");
            backend.sends(
                    noticeResponse("first"),
                    commandComplete("NOTIFY"),
                    notificationResponse(1, "channel", "payload"),
                    noticeResponse("second"),
                    readyForQuery(IDLE));

            client.expectsCommandComplete("NOTIFY");
            client.expectsReadyForQuery(IDLE);
            assertThat(client.expects(NoticeResponse.class)).isEqualTo(noticeResponse("first"));
            assertThat(client.expects(NoticeResponse.class)).isEqualTo(noticeResponse("second"));
            assertThat(client.expects(NotificationResponse.class).payload()).isEqualTo("payload");

            // What comes while nobody uses the backend is for nobody, and does not harm it.
            backend.sends(noticeResponse("to nobody"));
            Scene.converse(client, backend, "next");
        }
    }

    @Test
    void shouldFinishWhatWasAskedBeforeTerminate() { // checklist 72, 108
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();
            client.sends(new Query("insert"), new Terminate());
            backend.expectsQuery("insert");
            client.closes();
            other.sendsQuery("select 'other'");
            backend.sends(commandComplete("INSERT 0 1"), readyForQuery(IDLE));

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldUseNoBackendForTerminate() { // checklist 72
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            scene.client().terminates();
            scene.node().awaitNothingHeld();
            Scene.converse(scene.client(), backend, "next");
        }
    }

    // ---- the server goes away ----------------------------------------------------------------------------------

    @Test
    void shouldPassOnTheServersLastWordsAndClose() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 1");
            backend.expectsQuery("select 1");
            backend.sends(rowDescription("a"), dataRow("1"), fatalResponse("57P01", "going down"));
            backend.closes();

            client.expects(rowDescription("a"));
            client.expectsRow("1");
            assertThat(client.expectsError("57P01").message()).isEqualTo("going down");
            client.expectsClosed();
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    @Test
    void shouldSayThatTheServerLeftWithoutAWord() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 1");
            backend.expectsQuery("select 1");
            backend.sends(rowDescription("a"), dataRow("1"));
            backend.closes();

            client.expects(rowDescription("a"));
            client.expectsRow("1");
            assertThat(client.expectsError("08006").fields()).containsEntry('S', "FATAL");
            client.expectsClosed();
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    @Test
    void shouldJustCloseInsideAMessage() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 1");
            backend.expectsQuery("select 1");
            byte[] row = ServerConversation.encoded(dataRow("x".repeat(1000)));
            backend.sends(rowDescription("a"));
            backend.sendsRaw(java.util.Arrays.copyOf(row, 500));
            client.expects(rowDescription("a"));
            backend.closes();

            // An ErrorResponse here would be taken for the rest of the row.
            org.assertj.core.api.Assertions.assertThatThrownBy(client::expectsAny)
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("ended within a message: 500 of 1011 bytes");
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    @Test
    void shouldEndTheSessionWhenTheServerTalksNonsense() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 1");
            backend.expectsQuery("select 1");
            backend.sendsRaw((byte) '!', (byte) 0, (byte) 0, (byte) 0, (byte) 4);

            client.expectsError("08006");
            client.expectsClosed();
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    @Test
    void shouldKeepAPreparedStatementWhereverItGoes() { // checklist 95
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sends(new Parse("mine", "select $1", List.of()), new Sync());
            String name = backend.expects(Parse.class).statement();
            backend.expectsSync();
            backend.sends(parseComplete(), readyForQuery(IDLE));
            client.expects(parseComplete());
            client.expectsReadyForQuery(IDLE);
            backend.closes();
            ServerConversation fresh = scene.backend();

            client.sends(RawClient.bind("", "mine", "1"), new Execute("", 0), new Sync());

            assertThat(fresh.expects(Parse.class).sql()).isEqualTo("select $1");
            fresh.expectsBind("", name);
            fresh.expectsExecute("");
            fresh.expectsSync();
            fresh.sends(
                    parseComplete(), bindComplete(), dataRow("1"), commandComplete("SELECT 1"), readyForQuery(IDLE));
            client.expects(bindComplete());
            client.expectsRow("1");
            client.expectsCommandComplete("SELECT 1");
            client.expectsReadyForQuery(IDLE);
            client.sendsDescribe(Target.STATEMENT, "mine").sendsSync();
            fresh.expectsDescribe(Target.STATEMENT, name);
        }
    }
}
