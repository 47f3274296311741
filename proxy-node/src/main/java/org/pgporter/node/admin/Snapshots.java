package org.pgporter.node.admin;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.pgporter.cluster.PoolKey;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.ServerView;
import org.pgporter.node.pool.DatabasesView;
import org.pgporter.node.pool.Pool;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.pool.PoolView;
import org.pgporter.node.session.ClientSession;
import org.pgporter.node.session.ClientView;
import org.pgporter.node.session.Sessions;
import org.pgporter.node.work.Gathering;
import org.pgporter.protocol.message.ErrorResponse;

/// Asks a node what it is doing: sessions, pools and backend connections, each by a message of its own. Who does not
/// answer within [#LIMIT] is left out. What collects the answers does not run on event loops. Nor does it use Pekko's
/// `ask`: what follows on its stages runs in the JVM's common pool, which anybody may block.
final class Snapshots {
    /// For each of the questions; a loop that is busy for that long has other troubles than the console.
    static final Duration LIMIT = Duration.ofSeconds(2);

    private final ActorSystem<?> system;
    private final List<ActorRef<Sessions.Command>> sessions;
    private final ActorRef<PoolRegistry.Command> pools;
    private final AtomicLong sequence = new AtomicLong();

    Snapshots(ActorSystem<?> system, List<ActorRef<Sessions.Command>> sessions, ActorRef<PoolRegistry.Command> pools) {
        this.system = system;
        this.sessions = List.copyOf(sessions);
        this.pools = pools;
    }

    private record Clients(List<ClientView> views, int missing) {}

    private record Pools(List<PoolView> views, List<Snapshot.Server> servers, DatabasesView databases, int missing) {}

    CompletionStage<Snapshot> take() {
        return clients()
                .thenCombine(
                        pools(),
                        (clients, its) -> new Snapshot(
                                clients.views(),
                                its.views(),
                                its.servers(),
                                its.databases(),
                                clients.missing() + its.missing()));
    }

    private CompletionStage<Clients> clients() {
        return this.<Sessions.Command, Sessions.Listed>gather(
                        sessions, (loop, replyTo) -> loop.tell(new Sessions.List(replyTo)))
                .thenCompose(loops -> this.<ClientSession.Command, ClientView>gather(
                                loops.answers().stream()
                                        .flatMap(answer -> answer.view().sessions().stream())
                                        .toList(),
                                (session, replyTo) -> session.tell(new ClientSession.Describe(replyTo)))
                        .thenApply(result -> new Clients(
                                result.answers().stream()
                                        .map(Gathering.Answer::view)
                                        .toList(),
                                loops.missing() + result.missing())));
    }

    private CompletionStage<Pools> pools() {
        return this.<PoolRegistry.Command, PoolRegistry.Listed>gather(
                        List.of(pools), (registry, replyTo) -> registry.tell(new PoolRegistry.List(replyTo)))
                .thenCompose(said -> {
                    PoolRegistry.Listed listed = said.answers().stream()
                            .findFirst()
                            .map(Gathering.Answer::view)
                            .orElse(PoolRegistry.Listed.NONE);
                    return this.<Pool.Command, PoolView>gather(
                                    listed.pools(), (pool, replyTo) -> pool.tell(new Pool.Show(replyTo)))
                            .thenCompose(views -> servers(views, listed.databases()));
                });
    }

    private CompletionStage<Pools> servers(Gathering.Result<PoolView> views, DatabasesView databases) {
        Map<ActorRef<?>, PoolKey> whose = new HashMap<>();
        List<ActorRef<BackendConnection.Command>> connections = new ArrayList<>();
        for (Gathering.Answer<PoolView> answer : views.answers()) {
            answer.view().connections().forEach(connection -> {
                whose.put(connection, answer.view().key());
                connections.add(connection);
            });
        }
        return this.<BackendConnection.Command, ServerView>gather(
                        connections, (connection, replyTo) -> connection.tell(new BackendConnection.Describe(replyTo)))
                .thenApply(result -> new Pools(
                        views.answers().stream().map(Gathering.Answer::view).toList(),
                        result.answers().stream()
                                .map(answer -> new Snapshot.Server(
                                        whose.getOrDefault(answer.from(), new PoolKey("", "")),
                                        nameOf(answer.from()),
                                        answer.view()))
                                .toList(),
                        databases,
                        views.missing() + result.missing()));
    }

    /// Names of connections differ within their pool only.
    static String nameOf(ActorRef<?> connection) {
        return connection.path().parent().name() + "/" + connection.path().name();
    }

    private <A, V> CompletionStage<Gathering.Result<V>> gather(
            List<ActorRef<A>> all, BiConsumer<ActorRef<A>, ActorRef<Gathering.Answer<V>>> question) {
        CompletableFuture<Gathering.Result<V>> result = new CompletableFuture<>();
        system.systemActorOf(
                Gathering.create(all, question, LIMIT, result::complete),
                "console-" + sequence.incrementAndGet(),
                Props.empty());
        return result;
    }

    /// Ends the session of this name.
    ///
    /// @return whether there is one
    CompletionStage<Boolean> kill(String session, ErrorResponse why) {
        return this.<Sessions.Command, Sessions.Found>gather(
                        sessions, (loop, replyTo) -> loop.tell(new Sessions.KillOne(session, why, replyTo)))
                .thenApply(result -> result.answers().stream()
                        .anyMatch(answer -> answer.view().found()));
    }

    void tellAll(Sessions.Command command) {
        sessions.forEach(loop -> loop.tell(command));
    }

    int loops() {
        return sessions.size();
    }

    CompletableFuture<Boolean> order(PoolRegistry.Kind kind, java.util.Optional<String> database) {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        pools.tell(new PoolRegistry.Order(kind, database, done));
        return done;
    }
}
