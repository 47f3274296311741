package org.pgporter.node.backend;

import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.pgporter.node.stats.PoolCounters;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.TransactionStatus;

/// Counts what clients say and hear on one backend connection, for the counters of its pool.
///
/// Mutable and confined to the thread of its backend connection.
final class Meter {
    private final PoolCounters counters;
    private final Consumer<SqlState> errors;
    private final LongSupplier nanoTime;
    private boolean inQuery;
    private boolean inTransaction;
    private long queryBegan;
    private long transactionBegan;

    /// @param errors hears of each error of PostgreSQL that a client gets
    Meter(PoolCounters counters, Consumer<SqlState> errors, LongSupplier nanoTime) {
        this.counters = counters;
        this.errors = errors;
        this.nanoTime = nanoTime;
    }

    /// A client's batch is on its way to the server. What lies behind its first message in time is counted from that.
    void sent(Batch batch) {
        counters.fromClient(batch.bytes().readableBytes());
        for (int i = 0; i < batch.marks(); i++) {
            switch (batch.type(i)) {
                case 'P' -> counters.clientParse();
                case 'B' -> counters.bind();
                default -> {}
            }
        }
        if (!inQuery) {
            inQuery = true;
            queryBegan = nanoTime.getAsLong();
            if (!inTransaction) {
                inTransaction = true;
                transactionBegan = queryBegan;
            }
        }
    }

    void parsedAtServer() {
        counters.serverParse();
    }

    /// The client gets a ReadyForQuery.
    ///
    /// @param more it is owed another answer
    void ready(TransactionStatus status, boolean more) {
        if (!inQuery) {
            return; // the rest of what a client has left behind
        }
        long now = nanoTime.getAsLong();
        counters.query(now - queryBegan);
        queryBegan = now;
        inQuery = more;
        if (status == TransactionStatus.IDLE) {
            counters.transaction(now - transactionBegan);
            transactionBegan = now;
            inTransaction = more;
        }
    }

    void toClient(int bytes) {
        counters.toClient(bytes);
    }

    void failed(SqlState state) {
        errors.accept(state);
    }

    /// The connection goes to another client: what was left open by the last one is nobody's any more.
    void handedOver() {
        inQuery = false;
        inTransaction = false;
    }

    /// For how long the client's transaction has been open, in nanoseconds; 0 when none is.
    long transactionAge() {
        return inTransaction ? nanoTime.getAsLong() - transactionBegan : 0;
    }
}
