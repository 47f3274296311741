package org.pgporter.node.session;

import java.util.HashSet;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.node.work.Gathering;
import org.pgporter.protocol.message.ErrorResponse;

/// The client sessions of one event loop: starts one for each socket that the loop has accepted, and ends them
/// when the node drains.
public final class Sessions extends AbstractBehavior<Sessions.Command> {
    public sealed interface Command {}

    public record Accepted(SocketHandle socket) implements Command {}

    /// Each session ends at the next moment at which nothing is open. Who connects after that is refused and
    /// not waited for.
    ///
    /// @param ends false: sessions end when their clients want it
    /// @param whenEmpty told once none of them is left
    public record DrainAll(boolean ends, ActorRef<Empty> whenEmpty) implements Command {}

    /// Each session ends now.
    public record KillAll() implements Command {}

    public record Empty() {}

    /// Who is there?
    public record List(ActorRef<Gathering.Answer<Listed>> replyTo) implements Command {}

    public record Listed(java.util.List<ActorRef<ClientSession.Command>> sessions) {}

    /// Ends the session of this name, as [ClientView#session()] has it.
    ///
    /// @param replyTo told whether there is one
    public record KillOne(String session, ErrorResponse why, ActorRef<Gathering.Answer<Found>> replyTo)
            implements Command {}

    public record Found(boolean found) {}

    /// Ends all sessions of a database now, or of all databases.
    public record KillAllOf(Optional<String> database, ErrorResponse why) implements Command {}

    /// A drain does not wait for this one.
    record NotWaitedFor(ActorRef<ClientSession.Command> session) implements Command {}

    private final SessionServices services;
    private final HashSet<ActorRef<ClientSession.Command>> sessions = new HashSet<>();
    private final HashSet<ActorRef<ClientSession.Command>> latecomers = new HashSet<>();
    private Optional<ActorRef<Empty>> whenEmpty = Optional.empty();
    private long sequence;

    private Sessions(ActorContext<Command> context, SessionServices services) {
        super(context);
        this.services = services;
    }

    /// Must run on the dispatcher of the loop.
    public static Behavior<Command> create(SessionServices services) {
        return Behaviors.setup(context -> new Sessions(context, services));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onAnyMessage(this::onCommand)
                .onSignal(Terminated.class, this::onTerminated)
                .build();
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Accepted(var socket) -> {
                int loop = socket.loopIndex();
                ActorRef<ClientSession.Command> session = getContext()
                        .spawn(
                                ClientSession.create(
                                        services, socket, getContext().getSelf()),
                                loop + "-" + ++sequence,
                                DispatcherSelector.fromConfig(services.loops().dispatcher(loop)))
                        .narrow();
                getContext().watch(session);
                (whenEmpty.isEmpty() ? sessions : latecomers).add(session);
            }
            case DrainAll(var ends, var replyTo) -> {
                whenEmpty = Optional.of(replyTo);
                if (ends) {
                    sessions.forEach(session -> session.tell(new ClientSession.Drain()));
                }
                tellWhenEmpty();
            }
            case List(var replyTo) ->
                replyTo.tell(new Gathering.Answer<>(
                        getContext().getSelf(),
                        new Listed(Stream.concat(sessions.stream(), latecomers.stream())
                                .toList())));
            case KillOne(var name, var why, var replyTo) -> {
                Optional<ActorRef<ClientSession.Command>> one =
                        getContext().getChild(name).map(ActorRef::unsafeUpcast);
                one.ifPresent(session -> session.tell(new ClientSession.Kill(why)));
                replyTo.tell(new Gathering.Answer<>(getContext().getSelf(), new Found(one.isPresent())));
            }
            case KillAllOf(var database, var why) -> {
                sessions.forEach(session -> session.tell(new ClientSession.KillIfOf(database, why)));
                latecomers.forEach(session -> session.tell(new ClientSession.KillIfOf(database, why)));
            }
            case NotWaitedFor(var session) -> {
                if (sessions.remove(session)) {
                    latecomers.add(session);
                    tellWhenEmpty();
                }
            }
            case KillAll _ -> {
                sessions.forEach(session -> session.tell(new ClientSession.Kill()));
                latecomers.forEach(session -> session.tell(new ClientSession.Kill()));
            }
        }
        return this;
    }

    private Behavior<Command> onTerminated(Terminated signal) {
        ActorRef<ClientSession.Command> session = signal.getRef().unsafeUpcast();
        sessions.remove(session);
        latecomers.remove(session);
        tellWhenEmpty();
        return this;
    }

    private void tellWhenEmpty() {
        if (sessions.isEmpty()) {
            whenEmpty.ifPresent(replyTo -> replyTo.tell(new Empty()));
        }
    }
}
