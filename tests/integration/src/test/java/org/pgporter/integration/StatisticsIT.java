package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.PoolMode;
import org.pgporter.node.stats.PoolTotals;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;

/// What a node has counted after conversations of known size.
class StatisticsIT {
    private static final int CLIENTS = 3;

    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"SESSION", "TRANSACTION"})
    void shouldCountWhatWasSaid(PoolMode mode) {
        try (Proxied proxied = Proxied.start(PostgresMajor.NEWEST, mode, "statistics", 4)) {
            for (int i = 0; i < CLIENTS; i++) {
                try (RawClient client = client(proxied)) {
                    client.query("select 1");
                    client.queryExpectingError("select 1/0");
                    client.query("begin");
                    client.query("select 2");
                    client.query("commit");
                    twicePrepared(client);
                    client.terminates();
                }
            }

            PoolKey pool = new PoolKey(proxied.name(), proxied.name());
            await().untilAsserted(() -> assertThat(totals(proxied, pool))
                    .satisfies(
                            totals -> assertThat(totals.logins()).isEqualTo(CLIENTS),
                            totals -> assertThat(totals.queries()).isEqualTo(7 * CLIENTS),
                            totals -> assertThat(totals.transactions()).isEqualTo(5 * CLIENTS),
                            totals -> assertThat(totals.clientParses()).isEqualTo(CLIENTS),
                            totals -> assertThat(totals.binds()).isEqualTo(2 * CLIENTS),
                            totals -> assertThat(totals.serverParses()).isBetween(1L, (long) CLIENTS),
                            totals -> assertThat(totals.assignments())
                                    .isEqualTo(mode == PoolMode.SESSION ? CLIENTS : 5 * CLIENTS),
                            totals -> assertThat(totals.bytesFromClients()).isPositive(),
                            totals -> assertThat(totals.bytesToClients()).isPositive(),
                            totals -> assertThat(sum(totals.queryTimes())).isEqualTo(totals.queries()),
                            totals -> assertThat(sum(totals.transactionTimes())).isEqualTo(totals.transactions()),
                            totals -> assertThat(sum(totals.waitTimes())).isEqualTo(totals.assignments()),
                            totals -> assertThat(totals.transactionTime()).isGreaterThanOrEqualTo(totals.queryTime())));
            assertThat(proxied.node().node().statistics().errors())
                    .containsEntry(pool, Map.of("22012", (long) CLIENTS));
        }
    }

    /// Bytes are those of the protocol after the login, as the client's side of the wire has them.
    @Test
    void shouldCountTheClientsBytes() {
        try (Proxied proxied = Proxied.start(PostgresMajor.NEWEST, PoolMode.TRANSACTION, "statistics", 4);
                RawClient client = client(proxied)) {
            client.query("select repeat('x', 100000)");
            PoolTotals totals = totals(proxied, new PoolKey(proxied.name(), proxied.name()));

            assertThat(totals.bytesFromClients()).isEqualTo(1 + 4 + "select repeat('x', 100000)".length() + 1);
            // RowDescription of a column "repeat", one row, "SELECT 1", ReadyForQuery
            long description = 1 + 4 + 2 + "repeat".length() + 1 + 18;
            long row = 1 + 4 + 2 + 4 + 100_000;
            assertThat(totals.bytesToClients()).isEqualTo(description + row + (1 + 4 + "SELECT 1".length() + 1) + 6);
        }
    }

    private static void twicePrepared(RawClient client) {
        client.sendsParse("s", "select $1::text");
        for (String value : List.of("a", "b")) {
            client.sends(RawClient.bind("", "s", value)).sendsExecute("").sendsSync();
            while (!(client.expectsAny() instanceof org.pgporter.protocol.message.ReadyForQuery(var status)
                    && status == TransactionStatus.IDLE)) {
                // all of the answer
            }
        }
    }

    private static RawClient client(Proxied proxied) {
        RawClient client =
                RawClient.connects(proxied.node().host(), proxied.node().port());
        return client.logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
    }

    private static PoolTotals totals(Proxied proxied, PoolKey pool) {
        return proxied.node().node().statistics().byPool().getOrDefault(pool, PoolTotals.none());
    }

    private static long sum(long[] counts) {
        long sum = 0;
        for (long count : counts) {
            sum += count;
        }
        return sum;
    }
}
