package org.pgporter.node.backend;

import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ExtensibleBehavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.pgporter.node.backend.BackendConnection.Command;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.stream.Framed;

/// One state of a [BackendConnection]. Not made by a builder: a connection takes a new state several times in each
/// transaction.
final class ConnectionBehavior extends ExtensibleBehavior<Command> {
    private final BackendConnection.State state;
    private final Runnable stopped;

    /// @param stopped what to do when the connection's actor has ended, however it did
    ConnectionBehavior(BackendConnection.State state, Runnable stopped) {
        this.state = state;
        this.stopped = stopped;
    }

    /// What stands in a message of the server may be as broken as its framing, and means the same: whoever holds
    /// the lease hears that the connection is lost. An exception would end the actor without a word.
    @Override
    public Behavior<Command> receive(TypedActorContext<Command> context, Command command) {
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
            stopped.run();
            return Behaviors.same();
        }
        return Behaviors.unhandled();
    }
}
