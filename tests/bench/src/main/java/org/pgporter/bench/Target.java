package org.pgporter.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.pgporter.bench.Setup.Pool;
import org.pgporter.bench.Work.Bulk;
import org.pgporter.bench.Work.Load;
import org.pgporter.bench.Work.Protocol;

/// A figure that PgPorter is to reach.
///
/// @param title what the table calls it
/// @param works what has to be measured for it: the first is judged, a second is what it is compared with when
///     the scale says so
/// @param ioUring the bound with io_uring
/// @param epoll the bound with epoll
/// @param ambitious the bound that would be better still
record Target(
        String title,
        List<? extends Work> works,
        Metric metric,
        Scale scale,
        Direction direction,
        double ioUring,
        double epoll,
        Optional<Double> ambitious) {
    /// What the figure is.
    enum Scale {
        /// The metric itself, the median of the rounds.
        ABSOLUTE(""),
        /// The metric itself, the worst of all rounds.
        WORST(""),
        /// The metric over that of the first PgBouncer.
        PGBOUNCER(" x PgBouncer"),
        /// The metric over that of the same contender with one event loop.
        ONE_LOOP(" x one loop"),
        /// The metric over that of the same contender at the second work.
        OTHER_WORK(" x");

        private final String suffix;

        Scale(String suffix) {
            this.suffix = suffix;
        }
    }

    enum Direction {
        AT_MOST,
        AT_LEAST;

        boolean reaches(double figure, double bound) {
            return this == AT_MOST ? figure <= bound : figure >= bound;
        }
    }

    static List<Target> all() {
        var simple = Catalogue.select(Setup.PLAIN, Protocol.SIMPLE, 20);
        var prepared = Catalogue.select(Setup.PLAIN, Protocol.PREPARED, 20);
        var simpleTls = Catalogue.select(Setup.TLS, Protocol.SIMPLE, 20);
        var preparedTls = Catalogue.select(Setup.TLS, Protocol.PREPARED, 20);
        var oneSimple = Catalogue.select(Setup.PLAIN, Protocol.SIMPLE, 1);
        var onePrepared = Catalogue.select(Setup.PLAIN, Protocol.PREPARED, 1);
        var all = new ArrayList<Target>();
        all.add(cpu("CPU per transaction, simple", simple, 0.95, 1.15).withAmbition(0.80));
        all.add(cpu("CPU per transaction, prepared", prepared, 0.75, 0.90).withAmbition(0.60));
        all.add(cpu("CPU per transaction, simple, TLS", simpleTls, 0.95, 1.05));
        all.add(cpu("CPU per transaction, prepared, TLS", preparedTls, 0.85, 0.95));
        all.add(throughput("transactions per second, simple", simple, 1.05, 0.95));
        all.add(throughput("transactions per second, prepared", prepared, 1.25, 1.10));
        all.add(throughput("one client, simple: transactions per second", oneSimple, 0.95, 0.95));
        all.add(throughput("one client, prepared: transactions per second", onePrepared, 0.95, 0.95));
        for (var protocol : List.of(Protocol.SIMPLE, Protocol.PREPARED)) {
            var saturation = Catalogue.saturation(protocol);
            var words = "200 clients over 10 backends, " + protocol.option();
            all.add(relative("p99, " + words, saturation, Metric.P99_MILLIS, Direction.AT_MOST, 1.0));
            all.add(absolute("worst after warm-up (ms), " + words, saturation, Metric.WORST_MILLIS, Scale.WORST, 20));
        }
        for (var protocol : List.of(Protocol.SIMPLE, Protocol.PREPARED)) {
            var crowd = Catalogue.select(Setup.PLAIN, protocol, 10_000);
            var few = Catalogue.select(Setup.PLAIN, protocol, 20);
            all.add(absolute(
                            "p99/p50, 10,000 clients over 40 backends, " + protocol.option(),
                            crowd,
                            Metric.P99_OVER_P50,
                            Scale.ABSOLUTE,
                            1.3)
                    .withAmbition(1.1));
            all.add(new Target(
                    "CPU per transaction, 10,000 clients over 20 clients, " + protocol.option(),
                    List.of(crowd, few),
                    Metric.CPU_MICROS,
                    Scale.OTHER_WORK,
                    Direction.AT_MOST,
                    1.5,
                    1.5,
                    Optional.empty()));
        }
        all.add(throughput(
                        "connect, SCRAM login, one query, disconnect: each second",
                        Catalogue.login("login-scram", Setup.PLAIN, Pool.LOGIN),
                        1.0,
                        1.0)
                .withAmbition(2.0));
        for (var bulk : List.of(
                new Bulk("copy-out", Setup.PLAIN, Bulk.Kind.COPY_OUT),
                new Bulk("copy-in", Setup.PLAIN, Bulk.Kind.COPY_IN),
                new Bulk("large-row", Setup.PLAIN, Bulk.Kind.LARGE_ROW))) {
            all.add(relative(bulk.title() + ": MB/s", bulk, Metric.MEGABYTES_PER_SECOND, Direction.AT_LEAST, 1.0));
            all.add(relative(
                    bulk.title() + ": CPU per GB", bulk, Metric.CPU_SECONDS_PER_GIGABYTE, Direction.AT_MOST, 1.0));
        }
        for (var work : List.of(simple, prepared)) {
            all.add(new Target(
                    "two loops on one hot pool, CPU per transaction, "
                            + work.protocol().option(),
                    List.of(work),
                    Metric.CPU_MICROS,
                    Scale.ONE_LOOP,
                    Direction.AT_MOST,
                    1.10,
                    1.10,
                    Optional.empty()));
        }
        all.add(heap("idle client: heap (kB)", new Work.Idle("idle-plain", Setup.PLAIN), 8)
                .withAmbition(5));
        all.add(heap("idle client, TLS: heap (kB)", new Work.Idle("idle-tls", Setup.TLS), 40));
        for (var load : List.of(simple, prepared)) {
            var option = load.protocol().option();
            all.add(absolute(
                            "allocation per transaction (kB), " + option,
                            new Work.Allocation("allocation-" + option, load),
                            Metric.ALLOCATED_KILOBYTES,
                            Scale.ABSOLUTE,
                            2)
                    .withAmbition(1));
        }
        all.add(absolute(
                        "start to first query answered (ms)",
                        new Work.Start("first-answer"),
                        Metric.FIRST_ANSWER_MILLIS,
                        Scale.ABSOLUTE,
                        1200)
                .withAmbition(800));
        return List.copyOf(all);
    }

    /// The figure of one contender.
    ///
    /// @param pgBouncer with what the scale may compare
    /// @param oneLoop the contender that differs from `contender` by having one event loop
    Optional<Double> figure(Results results, String contender, Optional<String> pgBouncer, Optional<String> oneLoop) {
        var work = works.getFirst();
        return switch (scale) {
            case ABSOLUTE -> results.median(work, contender, metric);
            case WORST -> results.sorted(work, contender, metric).stream().reduce((_, last) -> last);
            case PGBOUNCER -> pgBouncer.flatMap(base -> results.ratio(work, contender, base, metric));
            case ONE_LOOP -> oneLoop.flatMap(base -> results.ratio(work, contender, base, metric));
            case OTHER_WORK ->
                results.median(work, contender, metric)
                        .flatMap(ours -> results.median(works.getLast(), contender, metric)
                                .map(other -> ours / other));
        };
    }

    /// The words of a bound, such as `<= 0.95 x PgBouncer`.
    String bound(double value) {
        return (direction == Direction.AT_MOST ? "<= " : ">= ") + number(value) + scale.suffix;
    }

    /// The figure with its verdict, such as `0.91, met`.
    String verdict(Optional<Double> figure, double bound) {
        return figure.map(it -> number(it)
                        + (!direction.reaches(it, bound)
                                ? ", **missed**"
                                : ambitious
                                                .filter(more -> direction.reaches(it, more))
                                                .isPresent()
                                        ? ", met, also the ambitious one"
                                        : ", met"))
                .orElse("not measured");
    }

    static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : "%.2f", value);
    }

    private Target withAmbition(double bound) {
        return new Target(title, works, metric, scale, direction, ioUring, epoll, Optional.of(bound));
    }

    private static Target cpu(String title, Load work, double ioUring, double epoll) {
        return new Target(
                title,
                List.of(work),
                Metric.CPU_MICROS,
                Scale.PGBOUNCER,
                Direction.AT_MOST,
                ioUring,
                epoll,
                Optional.empty());
    }

    private static Target throughput(String title, Load work, double ioUring, double epoll) {
        return new Target(
                title,
                List.of(work),
                Metric.TRANSACTIONS_PER_SECOND,
                Scale.PGBOUNCER,
                Direction.AT_LEAST,
                ioUring,
                epoll,
                Optional.empty());
    }

    private static Target relative(String title, Work work, Metric metric, Direction direction, double bound) {
        return new Target(title, List.of(work), metric, Scale.PGBOUNCER, direction, bound, bound, Optional.empty());
    }

    private static Target absolute(String title, Work work, Metric metric, Scale scale, double bound) {
        return new Target(title, List.of(work), metric, scale, Direction.AT_MOST, bound, bound, Optional.empty());
    }

    private static Target heap(String title, Work.Idle work, double bound) {
        return absolute(title, work, Metric.HEAP_KILOBYTES_PER_CLIENT, Scale.ABSOLUTE, bound);
    }
}
