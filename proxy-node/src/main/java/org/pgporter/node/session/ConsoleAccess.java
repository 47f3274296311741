package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ErrorResponse;

/// What sessions need of the console, which stands above them: who may talk to it, and the talk itself.
public interface ConsoleAccess {
    /// The talk of a client that has proved who it is; empty if it may not have one.
    ///
    /// @param database by which of its names the console was asked for
    Optional<Talk> admit(String database, String user);

    /// One client's talk with the console. Used by one thread at a time, and by the next only when the one before has
    /// ended.
    interface Talk {
        /// Writes what the client has to know beforehand.
        void greet(ByteBuf out);

        /// Answers what the client has said. The batch belongs to the caller.
        Step hear(Batch batch, ByteBuf out);

        /// Somebody has sent this session's cancel key.
        void cancel();
    }

    /// How a talk goes on.
    sealed interface Step {
        /// Everything is answered.
        record Answered() implements Step {}

        /// The client has said goodbye.
        record Goodbye() implements Step {}

        /// The talk cannot go on.
        record Failed(ErrorResponse error) implements Step {}

        /// An answer is still to come; what has been written so far can be sent. The stage never fails.
        record Waits(CompletionStage<Continuation> next) implements Step {}
    }

    /// What is to be done when an answer is there.
    interface Continuation {
        Step goOn(ByteBuf out);
    }
}
