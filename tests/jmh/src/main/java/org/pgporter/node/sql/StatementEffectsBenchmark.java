package org.pgporter.node.sql;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
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

/// Reads what the text of a statement may change.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class StatementEffectsBenchmark {
    /// A short SELECT, the transaction of TPC-B as one text, a SET, and an INSERT of a 4 kB literal.
    @Param({"select", "tpcb", "set", "long"})
    public String what = "";

    private byte[] text = {};

    @Setup
    public void prepare() {
        String sql = switch (what) {
            case "select" -> "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";
            case "tpcb" ->
                "BEGIN; UPDATE pgbench_accounts SET abalance = abalance + 5 WHERE aid = 4711; "
                        + "SELECT abalance FROM pgbench_accounts WHERE aid = 4711; "
                        + "UPDATE pgbench_tellers SET tbalance = tbalance + 5 WHERE tid = 7; "
                        + "UPDATE pgbench_branches SET bbalance = bbalance + 5 WHERE bid = 1; "
                        + "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) "
                        + "VALUES (7, 1, 4711, 5, CURRENT_TIMESTAMP); END;";
            case "set" -> "set search_path = app, public";
            case "long" -> "insert into note values (1, '" + "a note ".repeat(585) + "')";
            default -> throw new IllegalArgumentException(what);
        };
        text = sql.getBytes(StandardCharsets.UTF_8);
    }

    @Benchmark
    public StatementEffects oneText() {
        return StatementEffects.of(text, 0, text.length);
    }
}
