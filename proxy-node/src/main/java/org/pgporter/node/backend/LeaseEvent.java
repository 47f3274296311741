package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.pgporter.node.transport.Ack;
import org.pgporter.node.transport.HoldsBytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.TransactionStatus;

/// What a backend connection tells the session that holds its lease.
public sealed interface LeaseEvent extends HolderMessage {
    /// In [Replies#outcomes]: the change of a statement's name has happened.
    byte NAME_CONFIRMED = 1;

    /// In [Replies#outcomes]: the server has read the change and answered with an error. Anything else: it has
    /// skipped it.
    byte NAME_REFUSED = 2;

    LeaseId lease();

    /// The backend is the session's now: its next batches go straight to `backend`.
    ///
    /// @param parameters everything this backend has reported
    /// @param aligned what the backend called the values that had to be set first
    record Attached(
            LeaseId lease,
            ActorRef<BackendConnection.Command> backend,
            ServerParameters parameters,
            List<ParameterStatus> aligned)
            implements LeaseEvent {}

    /// Bytes for the client, and what they come to.
    ///
    /// @param bytes for the client, released by the receiver; may be empty
    /// @param batchesSeen how many batches of this lease the backend connection had taken when this was sent:
    ///     only when it is as many as the session sent does `settled` speak of all of them
    /// @param settled nothing is owed and nothing half sent
    /// @param insideFrame the last bytes are the beginning of a message whose rest is still to come
    /// @param outcomes for each Parse or Close answered or skipped, in the order sent: [#NAME_CONFIRMED],
    ///     [#NAME_REFUSED] or 0
    /// @param ack whom to tell when the bytes are on their way to the client
    record Replies(
            LeaseId lease,
            ByteBuf bytes,
            long batchesSeen,
            boolean settled,
            boolean insideFrame,
            TransactionStatus status,
            List<ParameterStatus> reported,
            List<ParameterStatus> aligned,
            byte[] outcomes,
            ServerOutput.Forgotten forgotten,
            Optional<Ack> ack)
            implements LeaseEvent, HoldsBytes {
        @Override
        public void releaseBytes() {
            bytes.release();
            ack.ifPresent(Ack::acknowledge);
        }
    }

    /// The answer to [BackendConnection.Inspect]; without findings when the backend could not be asked.
    record Inspected(LeaseId lease, Optional<Findings> findings) implements LeaseEvent {}

    /// The answer to a [BackendConnection.Return] with [BackendConnection.Ending#TERMINATED]: all that the client is
    /// still going to get has been told.
    record Over(LeaseId lease) implements LeaseEvent {}

    /// No backend could be had. Nothing was sent; the batch comes back.
    record Unserved(LeaseId lease, Optional<ClientBatch> batch, ErrorResponse error) implements LeaseEvent, HoldsBytes {
        @Override
        public void releaseBytes() {
            batch.ifPresent(ClientBatch::releaseBytes);
        }
    }

    /// The backend could not be given the parameters that the session wants. The lease is over; nothing was sent.
    record Refused(LeaseId lease, ErrorResponse error) implements LeaseEvent {}

    /// The backend connection is gone, and the lease with it.
    ///
    /// @param lastWords the server's FATAL, when it said one and the client has already got it
    /// @param insideFrame the client has got a message only in part
    record Lost(LeaseId lease, Optional<ErrorResponse> lastWords, boolean insideFrame) implements LeaseEvent {}
}
