package org.pgporter.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/// Measures in rounds, one setup after the other. Within a round the contenders take turns at each work, and each
/// round begins with another of them, so that what else the machine does meets all of them alike.
///
/// Who cannot start or fails at a work gets a line that says so, and the others go on.
///
/// @param directory for configurations, logs and output
/// @param started [System#nanoTime()] when the program began
record Series(
        Plan plan,
        List<? extends Contender> contenders,
        Tools tools,
        Path directory,
        PrintStream progress,
        long started) {
    private static final Duration COLD_WITHIN = Duration.ofSeconds(60);
    private static final int ATTEMPTS = 2;
    // Clients that use the cold pools.
    private static final int AT_ONCE = 8;
    private static final int LAST_WORDS = 10;
    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);

    /// What measures, each its kind of work.
    record Tools(Database database, Pgbench pgbench, Path psql, Limits limits) {}

    Results run() {
        var results = new Results();
        plan.works().stream()
                .collect(Collectors.groupingBy(Work::setup, LinkedHashMap::new, Collectors.toList()))
                .forEach((setup, works) -> run(setup, works, results));
        return results;
    }

    private void run(Setup setup, List<Work> works, Results results) {
        var running = new LinkedHashMap<Contender, Pooler>();
        try {
            for (var contender : contenders) {
                start(contender, setup, works, results, running);
            }
            if (plan.warmUp().isPositive()) {
                warmUp(works, running);
            }
            var order = new ArrayList<>(contenders);
            for (int round = 1; round <= plan.rounds(); round++) {
                var begun = System.nanoTime();
                for (var work : works) {
                    progress.printf("%s: round %d of %d: %s%n", setup.key(), round, plan.rounds(), work.key());
                    order.forEach(contender -> measure(work, contender, running, results));
                }
                Collections.rotate(order, 1);
                if (round < plan.rounds() && wouldEndTooLate(begun)) {
                    progress.printf(
                            "another round would not end within %d s%n",
                            plan.limit().toSeconds());
                    break;
                }
            }
        } finally {
            running.values().forEach(Pooler::close);
        }
    }

    private boolean wouldEndTooLate(long roundBegun) {
        var now = System.nanoTime();
        return now - started + now - roundBegun > plan.limit().toNanos();
    }

    private void start(
            Contender contender, Setup setup, List<Work> works, Results results, Map<Contender, Pooler> running) {
        try {
            var pooler = contender.start(tools.database(), setup, home(contender, setup.key()));
            running.put(contender, pooler);
            if (setup == Setup.POOLS && contender.isPooler()) {
                touchAll(pooler, setup);
            }
        } catch (BenchFailure e) {
            progress.printf("%s cannot do %s: %s%n", contender.name(), setup.key(), e.getMessage());
            works.forEach(work -> results.fail(work, contender.name(), "does not start: " + e.getMessage()));
        }
    }

    /// A directory for one process of a contender.
    private Path home(Contender contender, String purpose) {
        var name = contender.name().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._]+", "-");
        try {
            return Files.createDirectories(directory.resolve(purpose).resolve(name));
        } catch (IOException e) {
            throw new BenchFailure("no directory for " + name + ": " + e.getMessage(), e);
        }
    }

    /// Each pool has been used once; then their backend connections are closed for idleness.
    private void touchAll(Pooler pooler, Setup setup) {
        progress.printf(
                "using each of %d pools of %s once%n",
                setup.pools().size(), pooler.contender().name());
        try (var several = Executors.newFixedThreadPool(AT_ONCE)) {
            var answers = setup.pools().stream()
                    .map(pool -> several.submit(() -> {
                        Database.ask(pooler, pool);
                        return pool;
                    }))
                    .toList();
            for (var answer : answers) {
                answer.get();
            }
        } catch (ExecutionException e) {
            throw new BenchFailure("a pool cannot be used: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchFailure("interrupted", e);
        }
        var deadline = System.nanoTime() + COLD_WITHIN.toNanos();
        while (tools.database().backends() > setup.pools().size() / 10 && System.nanoTime() < deadline) {
            pooler.program().orElseThrow().endsWithin(LOOK_AGAIN);
        }
    }

    private void warmUp(List<Work> works, Map<Contender, Pooler> running) {
        var seen = new ArrayList<String>();
        for (var work : works) {
            if (work instanceof Work.Load load && !seen.contains(kind(load))) {
                seen.add(kind(load));
                progress.printf("warming up: %s%n", kind(load));
                running.forEach((contender, pooler) -> {
                    if (contender.isPooler() && contender.cannot(load).isEmpty()) {
                        warmUp(load, pooler);
                    }
                });
            }
        }
    }

    /// Who fails here may still do the work: it shows in the rounds.
    private void warmUp(Work.Load load, Pooler pooler) {
        try {
            tools.pgbench().run(few(load), pooler, plan.warmUp());
        } catch (BenchFailure e) {
            progress.printf("%s fails to warm up: %s%n", pooler.contender().name(), e.getMessage());
        }
    }

    private static String kind(Work.Load load) {
        return load.script() + " " + load.protocol() + (load.reconnect() ? " login" : "");
    }

    /// The same load with not so many clients that logging in takes long.
    private static Work.Load few(Work.Load load) {
        return new Work.Load(
                load.key(),
                load.setup(),
                load.script(),
                load.protocol(),
                Math.clamp(load.clients(), 1, 20),
                load.pool(),
                load.reconnect());
    }

    private void measure(Work work, Contender contender, Map<Contender, Pooler> running, Results results) {
        var name = contender.name();
        var cannot = contender.cannot(work).or(() -> tools.limits().forbids(clients(work)));
        if (cannot.isPresent()) {
            results.fail(work, name, cannot.get());
            return;
        }
        var pooler = running.get(contender);
        if (pooler != null && results.missing(work, name).isEmpty()) {
            attempt(work, pooler, results);
        }
    }

    private int clients(Work work) {
        return switch (work) {
            case Work.Load load -> load.clients();
            case Work.Idle _ -> plan.idle();
            case Work.Bulk _, Work.Start _, Work.Allocation _ -> 1;
        };
    }

    private Measurement measured(Work work, Pooler pooler) {
        var contender = pooler.contender();
        return switch (work) {
            case Work.Load load -> tools.pgbench().run(load, pooler, plan.window());
            case Work.Bulk bulk -> new Bulk(tools.psql(), directory, plan.megabytes()).run(bulk, pooler);
            case Work.Idle idle ->
                new IdleClients(tools.pgbench(), tools.database(), directory, plan.idle())
                        .run(idle, contender, home(contender, idle.key()));
            case Work.Start start ->
                new FirstAnswer(tools.database(), home(contender, start.key())).run(start, contender);
            case Work.Allocation allocation ->
                new Allocation(tools.pgbench(), tools.database(), home(contender, allocation.key()))
                        .run(allocation, (PgPorter) contender, plan.window(), plan.warmUp());
        };
    }

    /// A second try for who fails: some lose a login now and then.
    private void attempt(Work work, Pooler pooler, Results results) {
        var name = pooler.contender().name();
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            try {
                results.add(work, name, measured(work, pooler));
                return;
            } catch (BenchFailure e) {
                progress.printf("%s fails at %s, attempt %d: %s%n", name, work.key(), attempt, e.getMessage());
                if (attempt == ATTEMPTS) {
                    results.fail(work, name, "fails: " + e.getMessage() + lastWords(pooler));
                }
            }
        }
    }

    /// What the pooler itself has said at last.
    private static String lastWords(Pooler pooler) {
        var lines = pooler.program().map(it -> it.output().lines().toList()).orElse(List.of());
        return "\nIts last words:\n"
                + String.join("\n", lines.subList(Math.max(0, lines.size() - LAST_WORDS), lines.size()));
    }
}
