package org.pgporter.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pgporter.bench.Table.Column;

/// What a person reads, in Markdown: conditions, a table for each kind of work, and the targets.
///
/// @param conditions lines about machine, versions and settings
record Report(Plan plan, List<? extends Contender> contenders, Results results, List<String> conditions) {
    String markdown() {
        return conditions.stream().map(line -> "* " + line + "\n").collect(Collectors.joining())
                + "\n"
                + section("Transactions", loads(), loadColumns())
                + section("Many bytes", works(Work.Bulk.class), bulkColumns())
                + section("Idle clients", works(Work.Idle.class), idleColumns())
                + section("Start", works(Work.Start.class), startColumns())
                + section("Allocation", works(Work.Allocation.class), allocationColumns())
                + targets();
    }

    /// The PgBouncer that ratios are taken to.
    Optional<String> base() {
        return contenders.stream()
                .filter(it -> it instanceof Peer peer && peer.kind() == Peer.Kind.PGBOUNCER)
                .map(Contender::name)
                .findFirst();
    }

    private String section(String title, List<? extends Work> works, List<Column> columns) {
        var names = contenders.stream()
                .map(Contender::name)
                .filter(name -> works.stream()
                        .anyMatch(work -> !results.missing(work, name)
                                .filter(it -> it.startsWith("is "))
                                .isPresent()))
                .toList();
        return works.isEmpty()
                ? ""
                : "### " + title + "\n\n" + new Table(columns, names, results, base()).markdown(works) + "\n";
    }

    private List<Work.Load> loads() {
        return works(Work.Load.class);
    }

    private <T extends Work> List<T> works(Class<T> kind) {
        return plan.works().stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    private static List<Column> loadColumns() {
        return List.of(
                Column.median("CPU us/tx", Metric.CPU_MICROS, "%.1f"),
                Column.range(Metric.CPU_MICROS, "%.1f"),
                Column.ratio("x CPU", Metric.CPU_MICROS),
                Column.median("tps", Metric.TRANSACTIONS_PER_SECOND, "%.0f"),
                Column.ratio("x tps", Metric.TRANSACTIONS_PER_SECOND),
                Column.median("avg ms", Metric.AVERAGE_MILLIS, "%.2f"),
                Column.median("p50 ms", Metric.P50_MILLIS, "%.2f"),
                Column.median("p99 ms", Metric.P99_MILLIS, "%.2f"),
                Column.median("p99.9 ms", Metric.P999_MILLIS, "%.2f"),
                Column.median("worst ms", Metric.WORST_MILLIS, "%.1f"),
                Column.median("p99/p50", Metric.P99_OVER_P50, "%.2f"),
                Column.median("server CPU us/tx", Metric.SERVER_CPU_MICROS, "%.1f"),
                Column.median("RSS MB", Metric.RESIDENT_MEGABYTES, "%.0f"));
    }

    private static List<Column> bulkColumns() {
        return List.of(
                Column.median("MB/s", Metric.MEGABYTES_PER_SECOND, "%.0f"),
                Column.range(Metric.MEGABYTES_PER_SECOND, "%.0f"),
                Column.ratio("x MB/s", Metric.MEGABYTES_PER_SECOND),
                Column.median("CPU s/GB", Metric.CPU_SECONDS_PER_GIGABYTE, "%.2f"),
                Column.range(Metric.CPU_SECONDS_PER_GIGABYTE, "%.2f"),
                Column.ratio("x CPU", Metric.CPU_SECONDS_PER_GIGABYTE),
                Column.median("RSS MB", Metric.RESIDENT_MEGABYTES, "%.0f"));
    }

    private static List<Column> idleColumns() {
        return List.of(
                Column.median("RSS kB/client", Metric.RESIDENT_KILOBYTES_PER_CLIENT, "%.1f"),
                Column.range(Metric.RESIDENT_KILOBYTES_PER_CLIENT, "%.1f"),
                Column.median("heap kB/client", Metric.HEAP_KILOBYTES_PER_CLIENT, "%.1f"),
                Column.range(Metric.HEAP_KILOBYTES_PER_CLIENT, "%.1f"),
                Column.median("RSS MB", Metric.RESIDENT_MEGABYTES, "%.0f"));
    }

    private static List<Column> startColumns() {
        return List.of(
                Column.median("ms", Metric.FIRST_ANSWER_MILLIS, "%.0f"),
                Column.range(Metric.FIRST_ANSWER_MILLIS, "%.0f"));
    }

    private static List<Column> allocationColumns() {
        return List.of(
                Column.median("kB/tx", Metric.ALLOCATED_KILOBYTES, "%.2f"),
                Column.range(Metric.ALLOCATED_KILOBYTES, "%.2f"));
    }

    /// Every target, with what was measured of it; nothing without a PgPorter.
    String targets() {
        var header = List.of("target", "bound io_uring", "measured io_uring", "bound epoll", "measured epoll");
        var rows = Target.all().stream()
                .map(target -> Table.row(Stream.of(
                        target.title(),
                        target.bound(target.ioUring()),
                        measured(target, "io_uring", target.ioUring()),
                        target.bound(target.epoll()),
                        measured(target, "epoll", target.epoll()))))
                .collect(Collectors.joining());
        return nodes("io_uring").isEmpty() && nodes("epoll").isEmpty()
                ? ""
                : "### Targets\n\n" + Table.row(header.stream())
                        + Table.row(header.stream().map(_ -> "---")) + rows;
    }

    private String measured(Target target, String io, double bound) {
        var nodes = nodes(io);
        if (nodes.isEmpty()) {
            return "not measured";
        }
        var oneLoop = nodes.stream().filter(it -> it.eventLoops() == 1).findFirst();
        var most = nodes.getLast();
        var figure = target.figure(
                results,
                most.name(),
                base(),
                oneLoop.filter(it -> most.eventLoops() > 1).map(PgPorter::name));
        return target.verdict(figure, bound);
    }

    /// The nodes with this I/O, those with few event loops first.
    private List<PgPorter> nodes(String io) {
        var nodes = new ArrayList<PgPorter>();
        for (var contender : contenders) {
            if (contender instanceof PgPorter node && node.io().equals(io)) {
                nodes.add(node);
            }
        }
        nodes.sort(Comparator.comparingInt(PgPorter::eventLoops));
        return nodes;
    }
}
