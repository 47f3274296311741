package org.pgporter.node.stats;

/// What has been counted, at one moment. Times are nanoseconds; histograms have [TimeHistogram#BUCKETS] entries.
///
/// @param assignments how often a client got a backend connection
/// @param transactions that have ended
/// @param queries that have been answered, up to ReadyForQuery
/// @param bytesFromClients the protocol's messages after the login
/// @param bytesToClients the protocol's messages after the login
/// @param transactionTime on a backend connection, from the first message to the end of the transaction
/// @param queryTime from the message to ReadyForQuery
/// @param waitTime of clients for a backend connection
/// @param clientParses Parse messages of clients
/// @param serverParses Parse messages to PostgreSQL
/// @param binds Bind messages of clients
/// @param logins of clients
public record PoolTotals(
        long assignments,
        long transactions,
        long queries,
        long bytesFromClients,
        long bytesToClients,
        long transactionTime,
        long queryTime,
        long waitTime,
        long clientParses,
        long serverParses,
        long binds,
        long logins,
        long[] transactionTimes,
        long[] queryTimes,
        long[] waitTimes) {

    /// Nothing counted yet.
    public static PoolTotals none() {
        return new PoolCounters().totals();
    }

    /// Both together.
    public PoolTotals plus(PoolTotals other) {
        return new PoolTotals(
                assignments + other.assignments,
                transactions + other.transactions,
                queries + other.queries,
                bytesFromClients + other.bytesFromClients,
                bytesToClients + other.bytesToClients,
                transactionTime + other.transactionTime,
                queryTime + other.queryTime,
                waitTime + other.waitTime,
                clientParses + other.clientParses,
                serverParses + other.serverParses,
                binds + other.binds,
                logins + other.logins,
                sum(transactionTimes, other.transactionTimes),
                sum(queryTimes, other.queryTimes),
                sum(waitTimes, other.waitTimes));
    }

    private static long[] sum(long[] one, long[] other) {
        long[] sum = one.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += other[i];
        }
        return sum;
    }
}
