package org.pgporter.node.session;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.pgporter.config.StateCheck;
import org.pgporter.jmh.Traffic;
import org.pgporter.node.backend.StatementCatalog;
import org.pgporter.node.backend.StatementUse;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;

/// What a session finds out about a batch before it asks for a backend: which statements its names mean, and what
/// the text of a query may change.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class StatementMappingBenchmark {
    /// What the client sends: a simple query, an execution of what it has prepared, a pipeline of 100 of these, and
    /// the text of its statement anew.
    @Param({"query", "execute", "pipeline100", "parse"})
    public String what = "";

    private final StatementNames names = new StatementNames();
    private final StatementMapping mapping = new StatementMapping(
            names, new StatementCatalog(), new StateWatch(StateCheck.AUTO, () -> true), WantedParameters::none, true);
    private Batch batch = Traffic.batch(DecodePolicy.FRONTEND, Traffic.query());

    @Setup
    public void prepare() {
        mapping.usesIn(Traffic.batch(DecodePolicy.FRONTEND, Traffic.parse()));
        names.settleAll();
        batch = Traffic.batch(
                DecodePolicy.FRONTEND,
                switch (what) {
                    case "query" -> Traffic.query();
                    case "execute" -> Traffic.execute();
                    case "pipeline100" -> Traffic.repeated(100, Traffic.execute());
                    case "parse" -> Traffic.parse();
                    default -> throw new IllegalArgumentException(what);
                });
    }

    /// Returns what each message means; null where no message means anything.
    @Benchmark
    public @Nullable StatementUse @Nullable [] oneBatch() {
        @Nullable StatementUse @Nullable [] uses = mapping.usesIn(batch);
        names.settleAll();
        return uses;
    }
}
