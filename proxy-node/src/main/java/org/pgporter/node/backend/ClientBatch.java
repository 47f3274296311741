package org.pgporter.node.backend;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.transport.Ack;
import org.pgporter.protocol.codec.Batch;

/// Messages of a client on their way to a backend.
///
/// @param batch the bytes; whoever holds this record releases them
/// @param uses for each mark of the batch what its statement name means, or null where that does not matter; null
///     altogether when names are not translated
/// @param sequences the session is about to ask for the values that its sequences gave it last
/// @param ack whom to tell when the bytes are on their way, so that the client is read further
public record ClientBatch(
        Batch batch, @Nullable StatementUse @Nullable [] uses, Optional<OwnSequences> sequences, Ack ack)
        implements org.pgporter.node.transport.HoldsBytes {

    public ClientBatch(Batch batch, @Nullable StatementUse @Nullable [] uses, Ack ack) {
        this(batch, uses, Optional.empty(), ack);
    }

    @Override
    public void releaseBytes() {
        batch.release();
    }
}
