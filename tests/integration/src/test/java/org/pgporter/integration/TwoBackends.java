package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.pgporter.config.PoolOptions;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Severity;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// A pool of two backend connections in transaction mode, of which one is free and the other is not, as the test says.
///
/// Each of them is held by a client of its own in an open transaction, until it is freed. Who asks then can only get
/// that one; its process id is known.
final class TwoBackends implements AutoCloseable {
    enum Place {
        A,
        B;

        Place other() {
            return this == A ? B : A;
        }
    }

    static final String PASSWORD = "secret";

    /// Longer than a client waits, however slow the machine is.
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final TestNode node;
    private final String database;
    private final String user;
    private final Seat a;
    private final Seat b;
    private final List<RawClient> clients = new ArrayList<>();
    private Place lastFreed = Place.A;

    private TwoBackends(TestNode node, String database, String user) {
        this.node = node;
        this.database = database;
        this.user = user;
        // Both backends are free at first, so these may come in any order.
        a = new Seat(login());
        b = new Seat(login());
        assertThat(a.processId).isNotEqualTo(b.processId);
    }

    /// A backend, and the client that holds it.
    private static final class Seat {
        final RawClient holder;
        String processId;

        Seat(RawClient holder) {
            this.holder = holder;
            processId = hold();
        }

        String hold() {
            return holder.query("begin; select pg_backend_pid()").getFirst().getFirst();
        }
    }

    private Seat seat(Place place) {
        return switch (place) {
            case A -> a;
            case B -> b;
        };
    }

    /// @param change what else the pool shall be
    static TwoBackends of(TestPostgres postgres, String database, String user, UnaryOperator<PoolOptions> change) {
        TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(database, user, postgres.secretOf(user))
                .pools(pool -> change.apply(pool.withPoolSize(2).withQueryWaitTimeout(PATIENCE)))
                // With several a backend may be closed and another opened, to move a connection to another loop.
                .general(general -> general.withEventLoops(general.eventLoops().withWorkerThreads(1)))
                .start();
        return new TwoBackends(node, database, user);
    }

    TestNode node() {
        return node;
    }

    /// A new client. One with parameters may need a backend to log in.
    RawClient client(String... parameters) {
        RawClient client = login(parameters);
        clients.add(client);
        return client;
    }

    /// The one that was freed last. For tests that never free both.
    Place onlyFree() {
        return lastFreed;
    }

    /// Whoever wants a backend now gets this one.
    void free(Place place) {
        lastFreed = place;
        seat(place).holder.query("commit");
    }

    /// Nobody else gets this one from now on; waits until it is free.
    void occupy(Place place) {
        assertThat(seat(place).hold()).as("the only backend that is free").isEqualTo(processId(place));
    }

    /// As [#occupy], where the backend may have been closed and another opened.
    void occupyThisOrItsSuccessor(Place place) {
        String processId = seat(place).hold();
        assertThat(processId).isNotEqualTo(processId(place.other()));
        seat(place).processId = processId;
    }

    String processId(Place place) {
        return seat(place).processId;
    }

    /// What the query is answered with, on that backend and no other. A client that waits for another one says so by
    /// waiting in vain.
    List<String> ask(RawClient client, Place place, String query) {
        client.sendsQuery(naming(query));
        return expectsAnswer(client, place, query);
    }

    /// As [#ask], where the query was sent already, by [#naming].
    List<String> expectsAnswer(RawClient client, Place place, String query) {
        List<String> answer = answer(client);
        assertThat(answer.getFirst()).as("the backend that answers %s", query).isEqualTo(processId(place));
        return answer.subList(1, answer.size());
    }

    /// The query, after another that tells on which backend it runs.
    static String naming(String query) {
        return "select pg_backend_pid(); " + query;
    }

    /// Rows up to the next ReadyForQuery, values separated by bars, and the SQLSTATEs of errors.
    static List<String> answer(RawClient client) {
        List<String> answer = new ArrayList<>();
        while (true) {
            switch (client.expectsAny()) {
                case DataRow row ->
                    answer.add(row.values().stream()
                            .map(value -> value.map(Bytes::toText).orElse("null"))
                            .collect(Collectors.joining("|")));
                case ErrorResponse error -> {
                    answer.add("error " + error.sqlState().code());
                    if (error.severity() != Severity.ERROR) {
                        return answer;
                    }
                }
                case ReadyForQuery _ -> {
                    return answer;
                }
                case BackendMessage _ -> {}
            }
        }
    }

    /// Forgets the clients of a row.
    void closeClients() {
        clients.forEach(RawClient::close);
        clients.clear();
    }

    private RawClient login(String... parameters) {
        return RawClient.connects(node.host(), node.port()).logsIn(user, PASSWORD, database, parameters);
    }

    @Override
    public void close() {
        closeClients();
        a.holder.close();
        b.holder.close();
        node.close();
    }
}
