package org.pgporter.node.backend;

import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ExtensibleBehavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.pgporter.node.backend.BackendConnection.Command;
import org.pgporter.node.work.Gathering;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.stream.Framed;

/// One state of a [BackendConnection]. Not made by a builder: a connection takes a new state several times in each
/// transaction.
final class ConnectionBehavior extends ExtensibleBehavior<Command> {
    private final BackendConnection connection;
    private final ServerView.Activity activity;
    private final BackendConnection.State state;

    ConnectionBehavior(BackendConnection connection, ServerView.Activity activity, BackendConnection.State state) {
        this.connection = connection;
        this.activity = activity;
        this.state = state;
    }

    /// What stands in a message of the server may be as broken as its framing, and means the same: whoever holds
    /// the lease hears that the connection is lost. An exception would end the actor without a word.
    @Override
    public Behavior<Command> receive(TypedActorContext<Command> context, Command command) {
        if (command instanceof BackendConnection.Describe(var replyTo)) {
            replyTo.tell(new Gathering.Answer<>(context.asJava().getSelf(), connection.view(activity)));
            return Behaviors.same();
        }
        if (command instanceof BackendConnection.Replace(var reason)) {
            connection.isReplaced();
            return state.on(new BackendConnection.Retire(reason));
        }
        try {
            return state.on(command);
        } catch (ProtocolViolation violation) {
            if (!(command instanceof BackendConnection.FromServer(Framed.Messages _, var ack))) {
                throw violation;
            }
            return state.on(new BackendConnection.FromServer(new Framed.Violated(violation), ack));
        }
    }

    @Override
    public Behavior<Command> receiveSignal(TypedActorContext<Command> context, Signal signal) {
        if (signal instanceof PostStop) {
            connection.stopped();
            return Behaviors.same();
        }
        return Behaviors.unhandled();
    }
}
