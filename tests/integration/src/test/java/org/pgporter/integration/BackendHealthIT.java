package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.emptyQueryResponse;
import static org.pgporter.support.BackendMessages.fatalResponse;
import static org.pgporter.support.BackendMessages.readyForQuery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;

/// Backends that are asked for a sign of life, that have grown old, or that cannot be reached at all.
@Timeout(60)
class BackendHealthIT {
    @Test
    void shouldKeepTheAnswerToTheCheckToItself() { // checklist 120
        try (Scene scene = alwaysChecked(1)) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            for (String word : List.of("one", "two")) {
                client.sendsQuery("select '" + word + "'");
                answersTheCheck(backend);
                backend.expectsQuery("select '" + word + "'");
                backend.sends(Scene.answer(word));
                Scene.expectsAnswer(client, word);
            }
        }
    }

    /// After a restart of PostgreSQL all of them are dead, and the client must not pay for that one by one.
    @Test
    void shouldTryOneAfterTheOtherUntilOneLives() { // checklist 120, 121
        try (Scene scene = alwaysChecked(2)) {
            ServerConversation one = scene.backend();
            RawClient first = scene.client();
            RawClient second = scene.client();
            begins(first, one);
            second.sendsQuery("begin");
            ServerConversation two = scene.backend();
            answersTheCheck(two);
            two.expectsQuery("begin");
            two.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
            second.expectsCommandComplete("BEGIN");
            second.expectsReadyForQuery(IN_TRANSACTION);
            commits(first, one);
            commits(second, two);

            first.sendsQuery("select 'word'");
            two.expectsQuery("");
            two.closes();
            one.expectsQuery("");
            one.sends(fatalResponse("57P01", "terminating connection due to administrator command"));
            one.closes();

            ServerConversation fresh = scene.backend();
            answersTheCheck(fresh);
            fresh.expectsQuery("select 'word'");
            fresh.sends(Scene.answer("word"));
            Scene.expectsAnswer(first, "word");
        }
    }

    /// The request is on its way to the backend, out of the queue, when its client vanishes. Whatever becomes of the
    /// backend, its place in the pool must not be lost.
    @Test
    void shouldServeTheNextWhenAClientVanishesBeforeItIsServed() throws InterruptedException { // checklist 119
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch mayAnswer = new CountDownLatch(1);
        try (Scene scene = alwaysChecked(1)) {
            scene.server().serve(backend -> {
                if (backend.expectsStartupPacket(StartupPacket.class) instanceof CancelRequest) {
                    return;
                }
                backend.acceptsLogin();
                while (backend.expectsAny().orElse(null) instanceof Query(String sql)) {
                    if (sql.isEmpty()) {
                        asked.countDown();
                        awaitQuietly(mayAnswer);
                        backend.sends(emptyQueryResponse(), readyForQuery(IDLE));
                    } else {
                        backend.sends(Scene.answer("next"));
                    }
                }
            });
            RawClient leaving = scene.client();
            RawClient next = scene.client();
            leaving.sendsQuery("select 'never read'");
            asked.await();

            leaving.resets();
            next.sendsQuery("select 'next'");
            mayAnswer.countDown();

            Scene.expectsAnswer(next, "next");
            next.sendsQuery("select 'next'");
            Scene.expectsAnswer(next, "next");
            await().until(() -> scene.node().node().permitsHeld(Scene.DATABASE, Scene.USER) == 1);
        }
    }

    @Test
    void shouldCloseAnOldBackendOnlyWhenItsTransactionIsOver() { // checklist 118
        try (Scene scene = Scene.with(
                node -> node.pools(pool -> pool.withMinPoolSize(0).withServerLifetime(Duration.ofNanos(1))))) {
            scene.server().serve(backend -> {
                backend.expectsStartup();
                backend.acceptsLogin();
                while (true) {
                    String sql = backend.expectsAny()
                            .filter(Query.class::isInstance)
                            .map(message -> ((Query) message).sql())
                            .orElse("");
                    switch (sql) {
                        case "" -> {
                            return;
                        }
                        case "begin" -> backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
                        case "commit" -> backend.sends(commandComplete("COMMIT"), readyForQuery(IDLE));
                        default -> backend.sends(commandComplete("SELECT 0"), readyForQuery(IN_TRANSACTION));
                    }
                }
            });
            RawClient client = scene.client();
            client.query("begin");
            int before = scene.server().connections();
            client.query("select 1");
            client.query("select 2");
            assertThat(scene.server().connections()).isEqualTo(before);
            client.query("commit");

            client.query("begin");
            assertThat(scene.server().connections()).isEqualTo(before + 1);
            client.query("commit");
        }
    }

    /// The kernel drops what comes when the queue of a server is full, and answers nothing.
    @Test
    void shouldGiveUpOnAServerThatDoesNotAnswerAtAll() throws IOException { // checklist 122
        List<SocketChannel> queue = new ArrayList<>();
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            InetSocketAddress address = (InetSocketAddress) server.getLocalAddress();
            for (int i = 0; i < 8; i++) {
                SocketChannel waiting = SocketChannel.open();
                waiting.configureBlocking(false);
                waiting.connect(address);
                queue.add(waiting);
            }
            try (TestNode node = TestNode.inFrontOf("127.0.0.1", address.getPort())
                            .user(Scene.DATABASE, Scene.USER, Scene.PASSWORD)
                            .pools(pool -> pool.withConnectTimeout(Duration.ofMillis(300)))
                            .start();
                    RawClient client = RawClient.connects(node.host(), node.port())) {
                ErrorResponse error = client.logsInExpectingError(Scene.USER, Scene.PASSWORD, Scene.DATABASE);

                assertThat(error.sqlState().code()).isEqualTo("08006");
                assertThat(error.message()).contains("timed out");
            }
        } finally {
            for (SocketChannel waiting : queue) {
                waiting.close();
            }
        }
    }

    private static Scene alwaysChecked(int poolSize) {
        return Scene.with(node -> node.pools(pool -> pool.withPoolSize(poolSize)
                .withServerCheckDelay(Duration.ZERO)
                .withConnectTimeout(Duration.ofSeconds(20))));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answersTheCheck(ServerConversation backend) {
        backend.expectsQuery("");
        backend.sends(emptyQueryResponse(), readyForQuery(IDLE));
    }

    private static void begins(RawClient client, ServerConversation backend) {
        client.sendsQuery("begin");
        answersTheCheck(backend);
        backend.expectsQuery("begin");
        backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
        client.expectsCommandComplete("BEGIN");
        client.expectsReadyForQuery(IN_TRANSACTION);
    }

    private static void commits(RawClient client, ServerConversation backend) {
        client.sendsQuery("commit");
        backend.expectsQuery("commit");
        backend.sends(commandComplete("COMMIT"), readyForQuery(IDLE));
        client.expectsCommandComplete("COMMIT");
        client.expectsReadyForQuery(IDLE);
    }
}
