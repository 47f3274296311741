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
/// @param forgotten the client's statements are gone: nothing, everything prepared, or the whole session state
/// @param fatal the server's last words, when it is going to close the connection
/// @param ownCycleEnded a cycle of our own has ended in this batch
/// @param ownError the error that our own cycle met; told when the cycle has ended
public record ServerOutput(
        ByteBuf bytes,
        List<ParameterStatus> reported,
        List<ParameterStatus> aligned,
        byte[] outcomes,
        Forgotten forgotten,
        Optional<ErrorResponse> fatal,
        boolean ownCycleEnded,
        Optional<ErrorResponse> ownError) {

    /// What the client itself has thrown away with DEALLOCATE ALL or DISCARD ALL.
    public enum Forgotten {
        NOTHING,
        STATEMENTS,
        SESSION
    }
}
