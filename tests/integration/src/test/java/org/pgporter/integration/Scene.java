package org.pgporter.integration;

import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.readyForQuery;
import static org.pgporter.support.BackendMessages.rowDescription;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.ServerConversation;

/// A node between a scripted server and clients. The server lets everybody in.
///
/// The pool opens its first backend connection at once, so a script goes: [#backend()], [#client()], and then who
/// says what.
final class Scene implements AutoCloseable {
    static final String DATABASE = "shop";
    static final String USER = "app";
    static final String PASSWORD = "secret";

    private final ScriptedServer server;
    private final TestNode node;
    private final List<RawClient> clients = new CopyOnWriteArrayList<>();

    private Scene(UnaryOperator<TestNode.Builder> change) {
        server = ScriptedServer.start();
        node = change.apply(TestNode.inFrontOf(server.host(), server.port())
                        .user(DATABASE, USER, PASSWORD)
                        .pools(pool ->
                                pool.withPoolSize(1).withMinPoolSize(1).withServerLoginRetry(Duration.ofMillis(50))))
                .start();
    }

    /// One backend connection in transaction mode, unless changed.
    static Scene with(UnaryOperator<TestNode.Builder> change) {
        return new Scene(change);
    }

    static Scene withOneBackend() {
        return new Scene(UnaryOperator.identity());
    }

    TestNode node() {
        return node;
    }

    ScriptedServer server() {
        return server;
    }

    /// The next backend connection that the pool opens, logged in.
    ServerConversation backend() {
        ServerConversation backend = server.accept();
        backend.expectsStartup();
        backend.acceptsLogin();
        return backend;
    }

    /// A client that is logged in.
    RawClient client(String... parameters) {
        return connection().logsIn(USER, PASSWORD, DATABASE, parameters);
    }

    /// A client that has not said anything yet.
    RawClient connection() {
        RawClient client = RawClient.connects(node.host(), node.port());
        clients.add(client);
        return client;
    }

    /// Of these two new connections one carries a CancelRequest, and the other is logged in; in any order.
    ///
    /// @return the one that is logged in
    static ServerConversation cancelAndLogin(ServerConversation one, ServerConversation other) {
        boolean cancels = one.expectsStartupPacket(StartupPacket.class) instanceof CancelRequest;
        ServerConversation backend = cancels ? other : one;
        if (cancels) {
            one.closes();
            other.expectsStartup();
        } else {
            other.expectsCancelRequest();
            other.closes();
        }
        backend.acceptsLogin();
        return backend;
    }

    /// One query with one row as answer, from the client through the backend.
    static void converse(RawClient client, ServerConversation backend, String word) {
        client.sendsQuery("select '" + word + "'");
        backend.expectsQuery("select '" + word + "'");
        backend.sends(answer(word));
        expectsAnswer(client, word);
    }

    /// What a server says to a query with one row.
    static BackendMessage[] answer(String word) {
        return new BackendMessage[] {
            rowDescription("word"), dataRow(word), commandComplete("SELECT 1"), readyForQuery(IDLE)
        };
    }

    static void expectsAnswer(RawClient client, String word) {
        client.expects(rowDescription("word"));
        client.expectsRow(word);
        client.expectsCommandComplete("SELECT 1");
        client.expectsReadyForQuery(IDLE);
    }

    @Override
    public void close() {
        clients.forEach(RawClient::close);
        try {
            node.close();
        } finally {
            server.close();
        }
    }
}
