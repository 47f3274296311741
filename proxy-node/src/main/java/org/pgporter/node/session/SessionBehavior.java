package org.pgporter.node.session;

import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ExtensibleBehavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.pgporter.node.backend.HolderMessage;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.session.ClientSession.Command;

/// One state of a [ClientSession]. Not made by a builder: a session takes a new state several times in each
/// transaction.
final class SessionBehavior extends ExtensibleBehavior<HolderMessage> {
    private final ClientSession.State state;
    private final Runnable stopped;

    /// @param stopped what to do when the session has ended, however it did
    SessionBehavior(ClientSession.State state, Runnable stopped) {
        this.state = state;
        this.stopped = stopped;
    }

    @Override
    public Behavior<HolderMessage> receive(TypedActorContext<HolderMessage> context, HolderMessage message) {
        return ofHolder(
                switch (message) {
                    case Command command -> state.on(command);
                    case LeaseEvent event -> state.on(new ClientSession.FromBackend(event));
                    default -> throw new IllegalArgumentException("not for a session: " + message);
                });
    }

    @Override
    public Behavior<HolderMessage> receiveSignal(TypedActorContext<HolderMessage> context, Signal signal) {
        if (signal instanceof PostStop) {
            stopped.run();
            return Behaviors.same();
        }
        return Behaviors.unhandled();
    }

    /// What a session's states say of its next behavior is one of these, or one of Pekko's that take anything.
    @SuppressWarnings("unchecked")
    static Behavior<HolderMessage> ofHolder(Behavior<Command> next) {
        return (Behavior<HolderMessage>) (Behavior<?>) next;
    }
}
