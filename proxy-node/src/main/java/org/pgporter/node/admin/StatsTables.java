package org.pgporter.node.admin;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.stats.PoolTotals;

/// SHOW STATS and its like. Times are microseconds, as in PgBouncer.
///
/// Averages are over the last period that has ended: counts and bytes for each second, times of transactions and
/// queries for each of these, and the time that clients have waited for each second.
final class StatsTables {
    private static final long NANOS_OF_MICRO = 1000;

    private final Map<String, PoolTotals> totals;
    private final Periods.Period period;
    private final Set<String> databases;

    /// @param totals by database
    /// @param configured databases that have a row even if nobody has used them
    StatsTables(Map<String, PoolTotals> totals, Periods.Period period, Set<String> configured) {
        this.totals = totals;
        this.period = period;
        this.databases = new TreeSet<>(configured);
        this.databases.addAll(totals.keySet());
    }

    /// The twelve numbers in PgBouncer's order.
    private static List<Long> numbers(PoolTotals of) {
        return List.of(
                of.assignments(),
                of.transactions(),
                of.queries(),
                of.bytesFromClients(),
                of.bytesToClients(),
                of.transactionTime() / NANOS_OF_MICRO,
                of.queryTime() / NANOS_OF_MICRO,
                of.waitTime() / NANOS_OF_MICRO,
                of.clientParses(),
                of.serverParses(),
                of.binds(),
                of.logins());
    }

    private static List<Long> averages(PoolTotals from, PoolTotals to, long nanos) {
        List<Long> before = numbers(from);
        List<Long> after = numbers(to);
        List<Long> averages = new ArrayList<>();
        for (int i = 0; i < after.size(); i++) {
            averages.add(perSecond(after.get(i) - before.get(i), nanos));
        }
        averages.set(5, perEach(after.get(5) - before.get(5), after.get(1) - before.get(1)));
        averages.set(6, perEach(after.get(6) - before.get(6), after.get(2) - before.get(2)));
        return averages;
    }

    private static long perSecond(long count, long nanos) {
        return nanos <= 0
                ? 0
                : BigInteger.valueOf(count)
                        .multiply(BigInteger.valueOf(1_000_000_000))
                        .divide(BigInteger.valueOf(nanos))
                        .longValue();
    }

    private static long perEach(long time, long count) {
        return count <= 0 ? 0 : time / count;
    }

    private List<Long> totals(String database) {
        return numbers(totals.getOrDefault(database, PoolTotals.none()));
    }

    private List<Long> averages(String database) {
        PoolTotals nothing = PoolTotals.none();
        return averages(
                period.from().getOrDefault(database, nothing),
                period.to().getOrDefault(database, nothing),
                period.nanos());
    }

    Table stats() {
        Table.Rows rows = Table.of(Show.STATS.columns());
        databases.forEach(database -> rows.row(row(database, totals(database), averages(database))));
        return rows.table();
    }

    Table onlyTotals() {
        Table.Rows rows = Table.of(Show.STATS_TOTALS.columns());
        databases.forEach(database -> rows.row(row(database, totals(database), List.of())));
        return rows.table();
    }

    Table onlyAverages() {
        Table.Rows rows = Table.of(Show.STATS_AVERAGES.columns());
        databases.forEach(database -> rows.row(row(database, averages(database), List.of())));
        return rows.table();
    }

    private static @Nullable Object[] row(String database, List<Long> first, List<Long> second) {
        List<@Nullable Object> row = new ArrayList<>();
        row.add(database);
        row.addAll(first);
        row.addAll(second);
        return row.toArray();
    }

    /// Of the whole node, one below the other.
    Table ofTheNode() {
        List<String> names = List.of(
                "server_assignment_count",
                "xact_count",
                "query_count",
                "client_bytes",
                "server_bytes",
                "xact_time",
                "query_time",
                "wait_time",
                "ps_client_parse_count",
                "ps_server_parse_count",
                "ps_bind_count",
                "client_login_count");
        PoolTotals nothing = PoolTotals.none();
        List<Long> all = numbers(totals.values().stream().reduce(nothing, PoolTotals::plus));
        List<Long> averages = averages(
                period.from().values().stream().reduce(nothing, PoolTotals::plus),
                period.to().values().stream().reduce(nothing, PoolTotals::plus),
                period.nanos());
        Map<String, Long> rows = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            rows.put("total_" + names.get(i), all.get(i));
        }
        for (int i = 0; i < names.size(); i++) {
            rows.put("avg_" + names.get(i), averages.get(i));
        }
        Table.Rows table = Table.of(Show.TOTALS.columns());
        rows.forEach(table::row);
        return table.table();
    }
}
