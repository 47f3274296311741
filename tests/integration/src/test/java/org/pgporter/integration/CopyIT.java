package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.support.BackendMessages.bindComplete;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.copyData;
import static org.pgporter.support.BackendMessages.copyDone;
import static org.pgporter.support.BackendMessages.copyInResponse;
import static org.pgporter.support.BackendMessages.copyOutResponse;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.parseComplete;
import static org.pgporter.support.BackendMessages.readyForQuery;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.CopyFail;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.CopyOutResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;
import org.pgporter.support.TestPostgres;

/// COPY in both directions, with every way to end it.
class CopyIT {
    @Test
    void shouldCopyIn() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = inCopyIn(scene, backend);
            RawClient other = scene.client();

            client.sends(copyData("1\n"), copyData("2\n"));
            other.sendsQuery("select 'other'");
            backend.expects(copyData("1\n"));
            backend.expects(copyData("2\n"));
            client.sendsCopyDone();
            backend.expects(copyDone());
            finish(client, backend);

            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    /// The server ignores Sync and Flush while it reads COPY data; the backend must not wait for an answer to it.
    @Test
    void shouldNotCountASyncInsideCopyIn() { // checklist 75
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = inCopyIn(scene, backend);

            client.sends(copyData("1\n"), new Sync(), new Flush(), copyData("2\n"), copyDone());
            backend.expects(copyData("1\n"));
            backend.expectsSync();
            backend.expects(new Flush());
            backend.expects(copyData("2\n"));
            backend.expects(copyDone());
            finish(client, backend);

            Scene.converse(scene.client(), backend, "next");
        }
    }

    @Test
    void shouldCopyInWithEverythingInOneWrite() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();

            client.sends(new Query("copy t from stdin"), copyData("1\n"), copyDone());
            backend.expectsQuery("copy t from stdin");
            backend.sends(copyInResponse(1));
            backend.expects(copyData("1\n"));
            backend.expects(copyDone());
            client.expects(CopyInResponse.class);
            finish(client, backend);

            Scene.converse(scene.client(), backend, "next");
        }
    }

    @Test
    void shouldPassOnThatTheClientGivesUp() { // checklist 75
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = inCopyIn(scene, backend);

            client.sendsCopyData("1\n").sendsCopyFail("changed my mind");
            backend.expects(copyData("1\n"));
            backend.expects(new CopyFail("changed my mind"));
            backend.sends(errorResponse("57014", "COPY from stdin failed"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);

            Scene.converse(scene.client(), backend, "next");
        }
    }

    @Test
    void shouldSwallowCopyDataThatComesAfterTheError() { // checklist 75
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = inCopyIn(scene, backend);
            client.sendsCopyData("bad\n");
            backend.expects(copyData("bad\n"));
            backend.sends(errorResponse("22P02", "invalid input"), readyForQuery(IDLE));
            client.expectsError("22P02");
            client.expectsReadyForQuery(IDLE);

            // The client had more on its way when it heard of the error.
            client.sendsCopyData("late\n").sendsCopyDone();

            client.sendsQuery("select 'mine'");
            skipsStrayTo(backend, "select 'mine'");
            backend.sends(Scene.answer("mine"));
            Scene.expectsAnswer(client, "mine");
            Scene.converse(scene.client(), backend, "another's");
        }
    }

    /// As before, with the late message cut in two by the network, and a query behind its second half.
    @Test
    void shouldSwallowLateCopyDataThatArrivesInPieces() { // checklist 75
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = inCopyIn(scene, backend);
            client.sendsCopyData("bad\n");
            backend.expects(copyData("bad\n"));
            backend.sends(errorResponse("22P02", "invalid input"), readyForQuery(IDLE));
            client.expectsError("22P02");
            client.expectsReadyForQuery(IDLE);
            byte[] late = encoded(copyData("x".repeat(500_000)), copyDone(), new Query("select 'mine'"));

            int cut = 300_000;
            client.sendsRaw(Arrays.copyOf(late, cut));
            // The first part has been taken when another client has been served.
            Scene.converse(scene.client(), backend, "another's");
            client.sendsRaw(Arrays.copyOfRange(late, cut, late.length));

            skipsStrayTo(backend, "select 'mine'");
            backend.sends(Scene.answer("mine"));
            Scene.expectsAnswer(client, "mine");
        }
    }

    @Test
    void shouldCancelTheCopyOfAClientThatVanishes() { // checklist 75
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = inCopyIn(scene, backend);
            client.sendsCopyData("1\n");
            backend.expects(copyData("1\n"));

            client.closes();

            // Half of somebody's data must not be committed, and nobody may get this connection.
            ServerConversation fresh =
                    Scene.cancelAndLogin(scene.server().accept(), scene.server().accept());
            assertThat(backend.expectsAny()).get().isNotEqualTo(copyDone());
            Scene.converse(scene.client(), fresh, "next");
        }
    }

    /// The server may have read that Sync as a part of the COPY, or behind its error. What it answers from then on
    /// can be passed on, but not told apart from answers to messages of ours.
    @Test
    void shouldEndASessionRatherThanMixAnswersWhenACopyFailsBehindASync() { // checklist 75
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sends(new Parse("", "copy t from stdin", List.of()), RawClient.bind("", ""), new Execute("", 0));
            client.sends(new Flush());
            backend.expects(Parse.class);
            backend.expectsBind("", "");
            backend.expects(Execute.class);
            backend.expects(new Flush());
            backend.sends(parseComplete(), bindComplete(), copyInResponse(1));
            client.expects(parseComplete());
            client.expects(bindComplete());
            client.expects(copyInResponse(1));

            client.sends(copyData("bad\n"), new Sync());
            backend.expects(copyData("bad\n"));
            backend.expectsSync();
            backend.sends(errorResponse("22P02", "invalid input"), readyForQuery(IDLE));
            client.expectsError("22P02");
            client.expectsReadyForQuery(IDLE);

            client.sends(new Parse("s", "select 1", List.of()), new Sync());
            client.expectsError("08006");
            client.expectsClosed();
            Scene.converse(scene.client(), scene.backend(), "another's");
        }
    }

    @Test
    void shouldCopyOut() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("copy t to stdout");
            backend.expectsQuery("copy t to stdout");
            backend.sends(copyOutResponse(1), copyData("1\n"));
            client.expects(CopyOutResponse.class);
            client.expects(copyData("1\n"));
            backend.sends(copyData("2\n"), copyDone(), commandComplete("COPY 2"), readyForQuery(IDLE));
            client.expects(copyData("2\n"));
            client.expects(copyDone());
            client.expectsCommandComplete("COPY 2");
            client.expectsReadyForQuery(IDLE);

            Scene.converse(scene.client(), backend, "next");
        }
    }

    @Test
    void shouldCopyWithARealServer() { // checklist 75
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("copier", "secret", "scram-sha-256");
        postgres.createDatabase("copies", "copier");
        postgres.sqlIn("copies", "create table copied (a int)", "grant all on copied to copier");
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user("copies", "copier", postgres.secretOf("copier"))
                        .pools(pool -> pool.withPoolSize(1))
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port());
                RawClient other = RawClient.connects(node.host(), node.port())) {
            client.logsIn("copier", "secret", "copies");
            other.logsIn("copier", "secret", "copies");
            for (int round = 0; round < 5; round++) {
                client.sendsQuery("copy copied from stdin");
                client.expects(CopyInResponse.class);
                client.sendsCopyData("1\n2\n").sendsSync().sendsCopyData("3\n").sendsCopyDone();
                client.expectsCommandComplete("COPY 3");
                client.expectsReadyForQuery(IDLE);

                client.sendsQuery("copy copied from stdin");
                client.expects(CopyInResponse.class);
                client.sendsCopyData("not a number\n");
                client.sendsCopyData("4\n".repeat(50_000)).sendsCopyDone();
                client.expectsError("22P02");
                client.expectsReadyForQuery(IDLE);

                assertThat(other.query("select count(*) from copied"))
                        .containsExactly(List.of(Integer.toString(3 * (round + 1))));
                assertThat(client.query("select 'fine'")).containsExactly(List.of("fine"));
            }
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------

    private static RawClient inCopyIn(Scene scene, ServerConversation backend) {
        RawClient client = scene.client();
        client.sendsQuery("copy t from stdin");
        backend.expectsQuery("copy t from stdin");
        backend.sends(copyInResponse(1));
        client.expects(CopyInResponse.class);
        return client;
    }

    private static void finish(RawClient client, ServerConversation backend) {
        backend.sends(commandComplete("COPY 2"), readyForQuery(IDLE));
        client.expectsCommandComplete("COPY 2");
        client.expectsReadyForQuery(IDLE);
    }

    /// PostgreSQL ignores messages of COPY outside of COPY, so that it may get whole ones or not.
    private static void skipsStrayTo(ServerConversation backend, String sql) {
        FrontendMessage message = backend.expectsAny().orElseThrow();
        while (message instanceof CopyData || message instanceof CopyDone) {
            message = backend.expectsAny().orElseThrow();
        }
        assertThat(message).isEqualTo(new Query(sql));
    }

    private static byte[] encoded(FrontendMessage... messages) {
        ByteBuf out = Unpooled.buffer();
        for (FrontendMessage message : messages) {
            message.encodeTo(out);
        }
        return ByteBufUtil.getBytes(out);
    }
}
