package org.pgporter.node.stats;

/// What one event loop has counted of one pool since the node started. Written by the thread of that loop only, with
/// plain fields, because it is on the path of every query; [Statistics] reads it from elsewhere and may be a few
/// events behind.
///
/// Times are nanoseconds.
public final class PoolCounters {
    private long assignments;
    private long transactions;
    private long queries;
    private long bytesFromClients;
    private long bytesToClients;
    private long transactionTime;
    private long queryTime;
    private long waitTime;
    private long clientParses;
    private long serverParses;
    private long binds;
    private long logins;
    private final TimeHistogram transactionTimes = new TimeHistogram();
    private final TimeHistogram queryTimes = new TimeHistogram();
    private final TimeHistogram waitTimes = new TimeHistogram();

    PoolCounters() {}

    /// A client has got a backend connection.
    ///
    /// @param waited from its request on
    public void assigned(long waited) {
        assignments++;
        waitTime += waited;
        waitTimes.record(waited);
    }

    /// A transaction has ended; a query without BEGIN is one.
    public void transaction(long took) {
        transactions++;
        transactionTime += took;
        transactionTimes.record(took);
    }

    /// PostgreSQL is ready for the next query.
    public void query(long took) {
        queries++;
        queryTime += took;
        queryTimes.record(took);
    }

    public void fromClient(int bytes) {
        bytesFromClients += bytes;
    }

    public void toClient(int bytes) {
        bytesToClients += bytes;
    }

    /// A client has prepared a statement.
    public void clientParse() {
        clientParses++;
    }

    /// A statement was prepared at PostgreSQL, for a client or because its connection did not know it yet.
    public void serverParse() {
        serverParses++;
    }

    public void bind() {
        binds++;
    }

    /// A client has logged in.
    public void login() {
        logins++;
    }

    PoolTotals totals() {
        return new PoolTotals(
                assignments,
                transactions,
                queries,
                bytesFromClients,
                bytesToClients,
                transactionTime,
                queryTime,
                waitTime,
                clientParses,
                serverParses,
                binds,
                logins,
                transactionTimes.counts(),
                queryTimes.counts(),
                waitTimes.counts());
    }
}
