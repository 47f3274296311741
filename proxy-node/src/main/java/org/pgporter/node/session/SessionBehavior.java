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
import org.pgporter.node.work.Gathering;

/// One state of a [ClientSession]. Not made by a builder: a session takes a new state several times in each
/// transaction.
final class SessionBehavior extends ExtensibleBehavior<HolderMessage> {
    private final ClientSession session;
    private final ClientView.Activity activity;
    private final ClientSession.State state;

    SessionBehavior(ClientSession session, ClientView.Activity activity, ClientSession.State state) {
        this.session = session;
        this.activity = activity;
        this.state = state;
    }

    @Override
    public Behavior<HolderMessage> receive(TypedActorContext<HolderMessage> context, HolderMessage message) {
        return ofHolder(
                switch (message) {
                    case ClientSession.Describe(var replyTo) -> {
                        replyTo.tell(new Gathering.Answer<>(context.asJava().getSelf(), session.view(activity)));
                        yield Behaviors.same();
                    }
                    case ClientSession.KillIfOf(var database, var why) ->
                        session.isOf(database) ? state.on(new ClientSession.Kill(why)) : Behaviors.same();
                    case Command command -> state.on(command);
                    case LeaseEvent event -> state.on(new ClientSession.FromBackend(event));
                    default -> throw new IllegalArgumentException("not for a session: " + message);
                });
    }

    @Override
    public Behavior<HolderMessage> receiveSignal(TypedActorContext<HolderMessage> context, Signal signal) {
        if (signal instanceof PostStop) {
            session.stopped();
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
