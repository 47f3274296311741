package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.StatementUse;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.CloseComplete;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.TransactionStatus;

/// Answers a client in PostgreSQL's manner where no backend is involved: messages that need none, and a request
/// that no backend could be had for. The client gets the error once for each query or pipeline, what follows an
/// error in an extended query is skipped up to the next Sync, and the session lives.
final class LocalAnswers {
    /// Type byte and length word.
    private static final int EMPTY_MESSAGE = 5;

    private boolean skippingToSync;
    private boolean insideFrame;
    private boolean insideStray;

    /// Whether the next batch belongs to something that has been refused, in whole or in part.
    boolean inProgress() {
        return skippingToSync || insideFrame;
    }

    /// Whether a batch that arrives while the session holds no backend can do without one: stray COPY messages,
    /// which PostgreSQL ignores outside COPY; Flush, which has nothing to flush; Sync, whose answer is known;
    /// the Parse of a named statement that a backend of the pool has accepted before, and Close of such a
    /// statement.
    ///
    /// The last two spare more than a round trip: a client that prepares while its other connections hold all
    /// backends would wait for itself (pgbench does).
    static boolean needsNoBackend(Batch batch, @Nullable StatementUse @Nullable [] uses) {
        if (batch.endsInsideFrame() && batch.marks() > 0) {
            return false;
        }
        for (int i = 0; i < batch.marks(); i++) {
            switch (batch.type(i)) {
                case 'c', 'f', 'X' -> {}
                case 'H', 'S' -> {
                    if (batch.declaredLength(i) > EMPTY_MESSAGE) {
                        return false; // a body is an error, which the server words
                    }
                }
                case 'P', 'C' -> {
                    boolean known = uses != null
                            && uses[i] instanceof StatementUse.Named use
                            && !use.duplicate()
                            && use.statement().isAccepted();
                    if (!known) {
                        return false;
                    }
                }
                default -> {
                    return false;
                }
            }
        }
        return true;
    }

    /// Cuts off what is left of stray COPY data that began in a batch answered here: no server has seen its
    /// beginning.
    void cutOffStray(Batch batch) {
        if (insideStray && batch.marks() > 0) {
            batch.bytes().readerIndex(batch.start(0)); // what bears no mark before it is COPY data, too
            insideStray = false;
        }
    }

    /// Writes the answers to a batch that needs no backend.
    void answer(Batch batch, ByteBuf out) {
        insideStray = batch.endsInsideFrame();
        for (int i = 0; i < batch.marks(); i++) {
            switch (batch.type(i)) {
                case 'P' -> new ParseComplete().encodeTo(out);
                case 'C' -> new CloseComplete().encodeTo(out);
                case 'S' -> ready(out);
                default -> {}
            }
        }
    }

    /// Writes the answers to a batch that cannot be served. Called again for the batches that follow while
    /// [#inProgress()]; `error` is then reported anew where a new query begins.
    void refuse(Batch batch, ErrorResponse error, ByteBuf out) {
        insideFrame = batch.endsInsideFrame();
        for (int i = 0; i < batch.marks(); i++) {
            switch (batch.type(i)) {
                case 'S' -> {
                    skippingToSync = false;
                    ready(out);
                }
                case 'Q', 'F' -> {
                    if (!skippingToSync) {
                        error.encodeTo(out);
                        ready(out);
                    }
                }
                case 'P', 'B', 'D', 'E', 'C' -> {
                    if (!skippingToSync) {
                        error.encodeTo(out);
                        skippingToSync = true;
                    }
                }
                default -> {}
            }
        }
    }

    private static void ready(ByteBuf out) {
        new ReadyForQuery(TransactionStatus.IDLE).encodeTo(out);
    }
}
