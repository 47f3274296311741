package org.pgporter.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TargetTest {
    private static final Peer PGBOUNCER = new Peer(Peer.Kind.PGBOUNCER, Path.of("pgbouncer"), "1.25.2");
    private static final PgPorter IO_URING = new PgPorter(Path.of(""), "io_uring", 2, "");
    private static final PgPorter ONE_LOOP = new PgPorter(Path.of(""), "io_uring", 1, "");
    private static final PgPorter EPOLL = new PgPorter(Path.of(""), "epoll", 2, "");

    @Test
    void shouldJudgeEachKindOfInputOutputByItsOwnBound() {
        // Given: 1.00 and 1.10 of PgBouncer, where 0.95 and 1.15 are allowed
        var results = Samples.results(
                Samples.SIMPLE,
                Metric.CPU_MICROS,
                Map.of(
                        PGBOUNCER.name(), List.of(20.0),
                        IO_URING.name(), List.of(20.0),
                        EPOLL.name(), List.of(22.0)));

        // Then
        assertThat(targets(results, PGBOUNCER, EPOLL, IO_URING))
                .contains("| CPU per transaction, simple | <= 0.95 x PgBouncer | 1.00, **missed** | <= 1.15 x PgBouncer"
                        + " | 1.10, met |\n")
                .contains("| CPU per transaction, prepared | <= 0.75 x PgBouncer | not measured |");
    }

    @Test
    void shouldSayWhereTheAmbitiousBoundIsReached() {
        var results = Samples.results(
                Samples.SIMPLE,
                Metric.CPU_MICROS,
                Map.of(PGBOUNCER.name(), List.of(20.0), IO_URING.name(), List.of(16.0)));

        assertThat(targets(results, PGBOUNCER, IO_URING)).contains("| 0.80, met, also the ambitious one |");
    }

    @Test
    void shouldCompareTwoLoopsWithOne() {
        var results = Samples.results(
                Samples.SIMPLE,
                Metric.CPU_MICROS,
                Map.of(ONE_LOOP.name(), List.of(10.0), IO_URING.name(), List.of(12.0)));

        assertThat(targets(results, IO_URING, ONE_LOOP))
                .contains("| two loops on one hot pool, CPU per transaction, simple | <= 1.10 x one loop | 1.20,"
                        + " **missed** |");
    }

    @Test
    void shouldJudgeTheWorstByTheWorstRound() {
        var work = Catalogue.saturation(Work.Protocol.SIMPLE);
        var results = Samples.results(work, Metric.WORST_MILLIS, Map.of(IO_URING.name(), List.of(10.0, 21.0, 12.0)));

        assertThat(targets(results, IO_URING))
                .contains("| worst after warm-up (ms), 200 clients over 10 backends, simple | <= 20.00 | 21.00,"
                        + " **missed** |");
    }

    @Test
    void shouldCompareManyClientsWithFew() {
        var crowd = Catalogue.select(Setup.PLAIN, Work.Protocol.SIMPLE, 10_000);
        var results = Samples.results(Samples.SIMPLE, Metric.CPU_MICROS, Map.of(IO_URING.name(), List.of(10.0)));
        Samples.add(results, crowd, Metric.CPU_MICROS, Map.of(IO_URING.name(), List.of(14.0)));

        assertThat(targets(results, IO_URING))
                .contains("| CPU per transaction, 10,000 clients over 20 clients, simple | <= 1.50 x | 1.40, met |");
    }

    @Test
    void shouldHaveEveryWorkOfItsTargetsInTheCatalogueUnderItsKey() {
        // Two works of one key would share their measurements.
        var catalogue = Catalogue.of(Catalogue.CLIENTS);
        var works = catalogue.select(List.of(Catalogue.TARGETS));

        assertThat(works).isNotEmpty().doesNotHaveDuplicates();
        assertThat(works)
                .allSatisfy(work ->
                        assertThat(catalogue.select(List.of(work.key()))).containsExactly(work));
        assertThat(catalogue.select(List.of(Catalogue.EVERYTHING)).stream().map(Work::key))
                .doesNotHaveDuplicates()
                .contains("tpcb-prepared-10000", "login-md5", "select-simple-20-tls-both", "select-prepared-20-pools");
    }

    @Test
    void shouldKeepTheWorksOfASetupTogether() {
        var setups = Catalogue.of(Catalogue.CLIENTS).select(List.of("tls", "login", "simple")).stream()
                .map(Work::setup)
                .toList();

        assertThat(setups).containsExactly(Setup.TLS, Setup.TLS, Setup.TLS, Setup.PLAIN, Setup.PLAIN, Setup.MD5);
    }

    private static String targets(Results results, Contender... contenders) {
        var plan = Plan.quick(List.of(Samples.SIMPLE));
        return new Report(plan, List.of(contenders), results, List.of()).targets();
    }

    @Test
    void shouldKnowWhichPgBouncerCannotPrepare() {
        assertThat(new Peer(Peer.Kind.PGBOUNCER, Path.of(""), "1.18.0")
                        .cannot(Catalogue.select(Setup.PLAIN, Work.Protocol.PREPARED, 20)))
                .contains("cannot in transaction mode");
        assertThat(PGBOUNCER.cannot(Catalogue.select(Setup.PLAIN, Work.Protocol.PREPARED, 20)))
                .isEqualTo(Optional.empty());
    }
}
