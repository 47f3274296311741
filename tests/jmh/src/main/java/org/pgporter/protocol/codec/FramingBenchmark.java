package org.pgporter.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Optional;
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
import org.pgporter.jmh.Traffic;

/// Cuts one read of a socket into its batch, as each session and each backend connection does all the time. The
/// decoder is the same for all reads, as it is in a connection.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class FramingBenchmark {
    /// Which bytes arrive: from a client (query, execute, pipeline of 100 executes) or from a server (the answers
    /// with one row, to an execute, with 1,000 rows).
    @Param({"query", "execute", "pipeline100", "row", "executed", "rows1000"})
    public String what = "";

    private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
    private FrameDecoder decoder = new FrameDecoder(DecodePolicy.FRONTEND);

    @Setup
    public void prepare() {
        bytes = switch (what) {
            case "query" -> Traffic.bytes(Traffic.query());
            case "execute" -> Traffic.bytes(Traffic.execute());
            case "pipeline100" -> Traffic.bytes(Traffic.repeated(100, Traffic.execute()));
            case "row" -> Traffic.bytes(Traffic.queryAnswer(1));
            case "executed" -> Traffic.bytes(Traffic.executeAnswer());
            case "rows1000" -> Traffic.bytes(Traffic.queryAnswer(1000));
            default -> throw new IllegalArgumentException(what);
        };
        boolean fromClient = what.equals("query") || what.equals("execute") || what.equals("pipeline100");
        decoder = new FrameDecoder(fromClient ? DecodePolicy.FRONTEND : DecodePolicy.BACKEND);
    }

    /// Returns the number of messages that somebody has to look at, and of bytes.
    @Benchmark
    public long oneRead() {
        decoder.feed(bytes.retainedDuplicate());
        long seen = 0;
        for (Optional<Batch> batch = decoder.next(); batch.isPresent(); batch = decoder.next()) {
            seen += batch.get().marks() + batch.get().length();
            batch.get().release();
        }
        return seen;
    }
}
