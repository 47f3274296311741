package org.pgporter.integration;

import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.postgresql.util.PSQLException;

/// Many JDBC clients that ask without a pause, each question with a token that its answer must bring back. A
/// client that is refused or loses its connection connects again at once, and its failure is written down.
final class Crowd implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Proxied proxied;
    private final List<Thread> clients = new ArrayList<>();
    private final AtomicLong answers = new AtomicLong();
    private final AtomicLong failureCount = new AtomicLong();
    private final Map<String, String> failures = new ConcurrentHashMap<>();
    private final Queue<String> mixedUp = new ConcurrentLinkedQueue<>();
    private volatile boolean stopping;

    Crowd(Proxied proxied, int size) {
        this.proxied = proxied;
        for (int i = 0; i < size; i++) {
            int number = i;
            clients.add(Thread.ofPlatform().name("crowd-" + i).start(() -> ask(number)));
        }
    }

    private void ask(int number) {
        long round = 0;
        while (!stopping) {
            try (Connection connection = proxied.connect("connectTimeout", "5", "loginTimeout", "15")) {
                while (!stopping) {
                    String token = number + "/" + round++;
                    switch ((int) (round % 3)) {
                        case 0 -> asksOnce(connection, token);
                        case 1 -> asksInATransaction(connection, token);
                        default -> asksSlowly(connection, token);
                    }
                }
            } catch (SQLException e) {
                failed(e);
            }
        }
    }

    private void asksOnce(Connection connection, String token) throws SQLException {
        try (PreparedStatement question = connection.prepareStatement("select ?::text")) {
            expectsToken(question, token);
        }
    }

    private void asksInATransaction(Connection connection, String token) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement remember = connection.prepareStatement("select set_config('crowd.token', ?, true)");
                PreparedStatement recall = connection.prepareStatement("select current_setting('crowd.token')")) {
            expectsToken(remember, token);
            expectsToken(recall, token, false);
            connection.commit();
        }
        connection.setAutoCommit(true);
    }

    private void asksSlowly(Connection connection, String token) throws SQLException {
        try (PreparedStatement question =
                connection.prepareStatement("select ?::text from (select pg_sleep(0.003)) as slow")) {
            expectsToken(question, token);
        }
    }

    private void expectsToken(PreparedStatement question, String token) throws SQLException {
        expectsToken(question, token, true);
    }

    private void expectsToken(PreparedStatement question, String token, boolean asParameter) throws SQLException {
        if (asParameter) {
            question.setString(1, token);
        }
        try (ResultSet rows = question.executeQuery()) {
            String answer = rows.next() ? rows.getString(1) : "nothing";
            if (!token.equals(answer)) {
                mixedUp.add(answer + " instead of " + token);
            }
            answers.incrementAndGet();
        }
    }

    private void failed(SQLException e) {
        // What the driver makes up itself is told apart: then nobody has said why.
        boolean said = e instanceof PSQLException fromServer && fromServer.getServerErrorMessage() != null;
        String state = (said ? "" : "driver ") + e.getSQLState();
        failures.putIfAbsent(state, String.valueOf(e.getMessage()));
        failureCount.incrementAndGet();
    }

    /// Waits until so many more questions have been answered.
    void awaitAnswers(int more) {
        long from = answers.get();
        await(more + " more answers; failures so far " + failures)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> answers.get() >= from + more);
    }

    /// How many questions have failed.
    long failureCount() {
        return failureCount.get();
    }

    /// Waits until so many more questions have failed.
    void awaitFailures(int more) {
        awaitFailures(more, failureCount.get());
    }

    /// Waits until so many more questions have failed than at that moment.
    ///
    /// @param from what [#failureCount] said then
    void awaitFailures(int more, long from) {
        await(more + " more failures")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> failureCount.get() >= from + more);
    }

    /// Lets every client finish its question and leave.
    void leaves() {
        stopping = true;
        for (Thread client : clients) {
            try {
                if (!client.join(PATIENCE)) {
                    throw new AssertionError(client.getName() + " got no answer");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
    }

    /// By SQLSTATE, with the first message of each; `driver` before it where the node said nothing.
    Map<String, String> failures() {
        return failures;
    }

    /// Answers that belonged to another question.
    List<String> mixedUp() {
        return List.copyOf(mixedUp);
    }

    @Override
    public void close() {
        leaves();
    }
}
