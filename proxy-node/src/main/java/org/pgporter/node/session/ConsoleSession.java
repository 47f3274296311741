package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.session.ClientSession.CancelRequested;
import org.pgporter.node.session.ClientSession.ClientGone;
import org.pgporter.node.session.ClientSession.Command;
import org.pgporter.node.session.ClientSession.ConsoleAnswers;
import org.pgporter.node.session.ClientSession.Drain;
import org.pgporter.node.session.ClientSession.FromClient;
import org.pgporter.node.session.ClientSession.Kill;
import org.pgporter.node.session.ClientSession.TokenEnds;
import org.pgporter.node.session.ClientView.Activity;
import org.pgporter.node.transport.Ack;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.stream.Framed;

/// The part of a session of the console between its first ReadyForQuery and its end.
///
/// ```
///  idle ── a batch ──► (answering) ──► idle
///              ▲           │ an answer is still to come
///              └── busy ◄──┘
/// ```
///
/// While it is busy nothing more is read of the client. No timeout ends it: an operator looks when he looks. Nor does
/// a drain, which he may want to watch: it ends with the node.
final class ConsoleSession {
    private final ClientSession session;
    private final ConsoleAccess.Talk talk;

    ConsoleSession(ClientSession session, ConsoleAccess.Talk talk) {
        this.session = session;
        this.talk = talk;
    }

    Behavior<Command> idle() {
        return session.state(Activity.CONSOLE, command -> switch (command) {
            case FromClient(Framed.Messages(var batch), var ack) -> hear(batch, ack);
            case ClientGone(var everythingRead) when !everythingRead -> Behaviors.same(); // its last words still come
            default -> common(command);
        });
    }

    private Behavior<Command> hear(Batch batch, Ack ack) {
        ByteBuf out = session.client().buffer();
        ConsoleAccess.Step step;
        try {
            step = talk.hear(batch, out);
        } catch (ProtocolViolation violation) {
            step = new ConsoleAccess.Step.Failed(ProxyError.protocolViolation(violation));
        } finally {
            batch.release();
        }
        return after(step, out, ack);
    }

    private Behavior<Command> after(ConsoleAccess.Step step, ByteBuf out, Ack ack) {
        session.client().send(out);
        return switch (step) {
            case ConsoleAccess.Step.Answered _ -> {
                session.client().acknowledge(ack);
                yield idle();
            }
            case ConsoleAccess.Step.Goodbye _ -> session.closeQuietly();
            case ConsoleAccess.Step.Failed(var error) -> session.fail(error);
            case ConsoleAccess.Step.Waits(var next) -> {
                session.context()
                        .pipeToSelf(
                                next,
                                (goesOn, failure) -> new ConsoleAnswers(
                                        failure == null
                                                ? goesOn
                                                : _ -> new ConsoleAccess.Step.Failed(ProxyError.consoleFailed())));
                yield busy(ack);
            }
        };
    }

    private Behavior<Command> busy(Ack ack) {
        return session.state(Activity.CONSOLE, command -> switch (command) {
            case ConsoleAnswers(var goesOn) -> {
                ByteBuf out = session.client().buffer();
                ConsoleAccess.Step step;
                try {
                    step = goesOn.goOn(out);
                } catch (ProtocolViolation violation) {
                    step = new ConsoleAccess.Step.Failed(ProxyError.protocolViolation(violation));
                }
                yield after(step, out, ack);
            }
            case CancelRequested(var done) -> {
                talk.cancel();
                done.tell(new BackendConnection.CancelDone());
                yield Behaviors.same();
            }
            default -> common(command);
        });
    }

    private Behavior<Command> common(Command command) {
        return switch (command) {
            case Drain _ -> Behaviors.same();
            case Kill(var why) -> session.fail(why);
            case TokenEnds _ -> session.tokenHasEnded() ? session.fail(ProxyError.tokenExpired()) : Behaviors.same();
            default -> session.common(command);
        };
    }
}
