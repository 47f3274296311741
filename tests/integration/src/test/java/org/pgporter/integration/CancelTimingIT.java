package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.support.BackendMessages.authenticationOk;
import static org.pgporter.support.BackendMessages.bindComplete;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.copyInResponse;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.parameterStatus;
import static org.pgporter.support.BackendMessages.parseComplete;
import static org.pgporter.support.BackendMessages.readyForQuery;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;
import org.slf4j.LoggerFactory;

/// Cancel requests at awkward moments: while PgPorter itself is talking to the backend, in a COPY, many at once, from
/// clients that do not wait for the end. Checklist 63, cancelling through another node, is not built yet.
class CancelTimingIT {

    // ---- cycles of our own ---------------------------------------------------------------------------------------

    /// The request waits until it can only hit what the client has asked for.
    @Test
    void shouldNotCancelTheSettingOfParameters() { // checklist 59
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            CompletableFuture<RawClient> login = CompletableFuture.supplyAsync(
                    () -> scene.client("TimeZone", "Asia/Tokyo"), Executors.newVirtualThreadPerTaskExecutor());
            expectsOwnCycle(backend);
            setsTimeZone(backend, "Asia/Tokyo");
            RawClient client = login.join();
            RawClient other = scene.client();
            other.sendsQuery("select 'other'");
            expectsOwnCycle(backend);
            setsTimeZone(backend, "UTC");
            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");

            client.sendsQuery("slow");
            expectsOwnCycle(backend);
            backend.expectsQuery("slow");
            RawClient asking = asksToCancel(scene, client);
            // A login takes longer than a cancel request needs to arrive.
            scene.client();
            assertThat(scene.server().connections()).isEqualTo(1);
            setsTimeZone(backend, "Asia/Tokyo");

            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            cancel.closes();
            asking.expectsClosed();
            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
        }
    }

    private static void expectsOwnCycle(ServerConversation backend) {
        backend.expects(Parse.class);
        backend.expects(Bind.class);
        backend.expects(Execute.class);
        backend.expects(new Sync());
    }

    private static void setsTimeZone(ServerConversation backend, String value) {
        backend.sends(
                parseComplete(),
                bindComplete(),
                dataRow(value),
                commandComplete("SELECT 1"),
                parameterStatus("TimeZone", value),
                readyForQuery(IDLE));
    }

    @Test
    void shouldNotCancelTheResetQuery() { // checklist 59
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.SESSION)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "first");
            client.terminates();
            backend.expectsQuery("DISCARD ALL");

            client.cancel();

            backend.sends(commandComplete("DISCARD ALL"), readyForQuery(IDLE));
            Scene.converse(scene.client(), backend, "next");
            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    /// It was on its way already when its client left: what it hits is ours, and the connection is not clean then.
    @Test
    void shouldGiveUpABackendWhoseResetQueryIsHit() { // checklist 58, 59
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.SESSION)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> cancelling = inBackground(client::cancel);
            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            backend.sends(commandComplete("SELECT 0"), readyForQuery(IDLE));
            client.expectsCommandComplete("SELECT 0");
            client.expectsReadyForQuery(IDLE);
            client.terminates();
            backend.expectsQuery("DISCARD ALL");

            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));

            cancel.closes();
            cancelling.join();
            backend.expectsTerminate();
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    // ---- in the queue --------------------------------------------------------------------------------------------

    /// PostgreSQL skips to the Sync after an error, and so does the answer to a request that never had a backend.
    @Test
    void shouldCancelAPipelineThatWaitsAndLeaveTheQueue() { // checklist 60, 119
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient waiting = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            waiting.sendsParse("", "select 'waiting'").sendsBind("", "").sendsExecute("");
            // A cancel that overtakes the query finds nothing to cancel, so it may take two.
            CompletableFuture<ErrorResponse> error = CompletableFuture.supplyAsync(
                    () -> waiting.expectsError("57014"), Executors.newVirtualThreadPerTaskExecutor());
            await().until(() -> {
                waiting.cancel();
                return error.isDone();
            });
            waiting.sendsParse("", "select 'skipped'").sendsSync();
            waiting.expectsReadyForQuery(IDLE);

            backend.sends(Scene.answer("slow"));
            Scene.expectsAnswer(client, "slow");
            Scene.converse(waiting, backend, "next");
            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    // ---- in a COPY -----------------------------------------------------------------------------------------------

    @Test
    void shouldCancelACopyThatWaitsForData() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("copy t from stdin");
            backend.expectsQuery("copy t from stdin");
            backend.sends(copyInResponse(1));
            client.expects(CopyInResponse.class);
            CompletableFuture<Void> cancelling = inBackground(client::cancel);

            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            cancel.closes();
            cancelling.join();
            // The server looks at its signals when more data has come.
            client.sendsCopyData("1\n");
            backend.expects(CopyData.class);
            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
            Scene.converse(client, backend, "next");
        }
    }

    // ---- many at once --------------------------------------------------------------------------------------------

    /// One connection at a time for each backend, whatever the client does; those that came meanwhile share the second.
    @Test
    void shouldSendOneRequestAtATime() { // checklist 61
        int many = 50;
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            List<RawClient> flood = Stream.generate(() -> asksToCancel(scene, client))
                    .limit(many)
                    .toList();
            ServerConversation first = scene.server().accept();
            first.expectsCancelRequest();

            // The pool has room for others meanwhile.
            RawClient other = scene.client();
            other.sendsQuery("select 'other'");
            ServerConversation second = scene.backend();
            second.expectsQuery("select 'other'");
            second.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
            assertThat(scene.server().connections()).isEqualTo(3);
            first.closes();
            ServerConversation last = scene.server().accept();
            last.expectsCancelRequest();
            last.closes();
            flood.forEach(RawClient::expectsClosed);

            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
            assertThat(scene.server().connections()).isEqualTo(4);
        }
    }

    /// Those that have not been sent yet were for a query that is over.
    @Test
    void shouldDropWhatWaitsWhenTheAnswerIsThere() { // checklist 58, 61
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.SESSION)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> one = inBackground(client::cancel);
            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            RawClient another = asksToCancel(scene, client);
            // A login takes longer than a cancel request needs to arrive.
            scene.connection().logsInExpectingError(Scene.USER, "wrong", Scene.DATABASE);

            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
            another.expectsClosed();
            client.sendsQuery("select 'the next'");
            backend.expectsQuery("select 'the next'");
            cancel.closes();
            one.join();
            backend.sends(Scene.answer("the next"));
            Scene.expectsAnswer(client, "the next");
            assertThat(scene.server().connections()).isEqualTo(2);
        }
    }

    // ---- clients that do not wait --------------------------------------------------------------------------------

    @Test
    void shouldCancelForAClientThatDoesNotWait() { // checklist 64
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            asksToCancel(scene, client).closes();

            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
            // The backend is held back all the same.
            RawClient other = scene.client();
            other.sendsQuery("select 'innocent'");
            CompletableFuture<Void> arrived = inBackground(() -> backend.expectsQuery("select 'innocent'"));
            await().during(200, TimeUnit.MILLISECONDS).until(() -> !arrived.isDone());
            cancel.closes();
            arrived.join();
            backend.sends(Scene.answer("innocent"));
            Scene.expectsAnswer(other, "innocent");
        }
    }

    /// Its query and its goodbye are still on their way when it is gone already.
    @Test
    void shouldDoWhatAClientAskedForBeforeItSaidGoodbye() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            for (int i = 0; i < 20; i++) {
                RawClient client = scene.client();
                client.sends(new Query("insert " + i), new Terminate());
                client.closes();
                backend.expectsQuery("insert " + i);
                backend.sends(commandComplete("INSERT 0 1"), readyForQuery(IDLE));
            }
            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldCancelNothingForAClientThatSaysHalfARequest() { // checklist 64
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            RawClient half = scene.connection();
            half.sendsRaw((byte) 0, (byte) 0, (byte) 0, (byte) 16, (byte) 4, (byte) 210, (byte) 22, (byte) 46);
            half.closes();
            scene.client();

            backend.sends(Scene.answer("slow"));
            Scene.expectsAnswer(client, "slow");
            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    /// There is nothing to send, and the connection is closed all the same.
    @Test
    void shouldGiveUpABackendWithoutKeyWhenItsClientVanishes() { // checklist 65
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.server().accept();
            backend.expectsStartup();
            backend.sends(authenticationOk(), readyForQuery(IDLE));
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            client.resets();

            backend.expectsTerminate();
            Scene.converse(scene.client(), scene.backend(), "next");
            assertThat(scene.server().connections()).isEqualTo(2);
        }
    }

    @Test
    void shouldSayOnceThatTheRequestForAClientThatVanishedWasNotDelivered() {
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger("org.pgporter.node.backend.CancelRequests");
        logger.addAppender(lines);
        lines.start();
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withConnectTimeout(Duration.ofMillis(1500))))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            client.resets();

            ServerConversation cancel = scene.server().accept();
            ServerConversation fresh = scene.server().accept();
            (cancel.expectsStartupPacket(StartupPacket.class) instanceof CancelRequest ? fresh : cancel).acceptsLogin();
            await().until(() -> !lines.list.isEmpty());
            assertThat(lines.list).singleElement().satisfies(line -> {
                assertThat(line.getLevel()).isEqualTo(Level.WARN);
                assertThat(line.getFormattedMessage()).isEqualTo("cancel request could not be delivered");
                assertThat(line.getKeyValuePairs().toString())
                        .contains("did not close the cancel connection in time")
                        .contains("" + backend.key().processId());
            });
        } finally {
            logger.detachAppender(lines);
        }
    }

    // ---- where it goes -------------------------------------------------------------------------------------------

    /// The name leads to two servers by now; the backend is at the one that it was at when the connection was opened.
    @Test
    void shouldSendTheRequestToTheServerThatHasTheBackend() throws IOException { // checklist 67
        try (Scene scene =
                Scene.with(node -> node.eachPool(pool -> pool.withServer(TestNames.OTHER_FIRST, pool.serverPort())))) {
            ServerConversation backend = scene.backend(); // nobody is at the other one
            InetAddress other = InetAddress.getByName(TestNames.OTHER);
            try (ServerSocket otherServer = new ServerSocket(scene.server().port(), 5, other)) {
                otherServer.setSoTimeout(1);
                RawClient client = scene.client();
                client.sendsQuery("slow");
                backend.expectsQuery("slow");
                CompletableFuture<Void> cancelling = inBackground(client::cancel);

                ServerConversation cancel = scene.server().accept();
                assertThat(cancel.expectsCancelRequest().processId())
                        .isEqualTo(backend.key().processId());
                cancel.closes();
                cancelling.join();
                // Likewise for a client that has gone.
                client.resets();
                scene.server().accept().expectsCancelRequest();
                backend.expectsTerminate();
            }
        }
    }

    /// Asks on a connection of its own, and does not wait for anything.
    private static RawClient asksToCancel(Scene scene, RawClient client) {
        return scene.connection()
                .sends(new CancelRequest(
                        client.backendKey().processId(), client.backendKey().secret()));
    }

    private static CompletableFuture<Void> inBackground(Runnable work) {
        return CompletableFuture.runAsync(work, Executors.newVirtualThreadPerTaskExecutor());
    }
}
