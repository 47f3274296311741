package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParameterStatus;

/// What one batch of the server comes to.
///
/// @param bytes for the client; may be empty, never null; the receiver releases it
/// @param reported ParameterStatus messages that stand in `bytes`
/// @param aligned ParameterStatus messages that our own cycle caused and that the client has not seen
/// @param outcomes how the client's statement names fared, see [LeaseEvent.Replies]
/// @param forgotten what of the client's is gone: nothing, the plans of some of its statements, everything
///     prepared, or the whole session state
/// @param fatal the server's last words, when it is going to close the connection
/// @param ownCycleEnded a cycle of our own has ended in this batch
/// @param ownError the error that our own cycle met; told when the cycle has ended
/// @param findings what an inspection has brought
public record ServerOutput(
        ByteBuf bytes,
        List<ParameterStatus> reported,
        List<ParameterStatus> aligned,
        byte[] outcomes,
        Forgotten forgotten,
        Optional<ErrorResponse> fatal,
        boolean ownCycleEnded,
        Optional<ErrorResponse> ownError,
        Optional<Findings> findings) {

    /// What the client itself has thrown away with DEALLOCATE ALL or DISCARD ALL, or the server could not keep.
    public enum Forgotten {
        NOTHING,
        /// A table, view or function has changed.
        SCHEMA,
        /// The client has been told that a table changed under one of its statements (0A000).
        PLANS,
        STATEMENTS,
        SESSION
    }
}
