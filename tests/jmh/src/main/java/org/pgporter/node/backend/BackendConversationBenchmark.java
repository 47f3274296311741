package org.pgporter.node.backend;

import io.netty.buffer.PooledByteBufAllocator;
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
import org.pgporter.cluster.PoolKey;
import org.pgporter.jmh.Traffic;
import org.pgporter.node.stats.Statistics;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.message.WireMessage;

/// What a lease costs a backend connection besides its socket: the batch of the client on its way to the server, with
/// the names that statements have there, and the answer on its way back, until everything is settled.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class BackendConversationBenchmark {
    /// A simple query and its row, an execution of a prepared statement, a pipeline of 100 of these, and a query with
    /// 1,000 rows.
    @Param({"query", "execute", "pipeline100", "rows1000"})
    public String what = "";

    private final Meter meter =
            new Meter(new Statistics(1).of(new PoolKey("db", "pgporter"), 0), _ -> {}, System::nanoTime);
    private final BackendConversation talk = new BackendConversation(
            PooledByteBufAllocator.DEFAULT,
            100,
            new AcceptedValues(),
            meter,
            "pgporter",
            "none",
            ServerParameters.none());
    private Batch asked = Traffic.batch(DecodePolicy.FRONTEND, Traffic.query());
    private Batch answered = asked;
    private @Nullable StatementUse @Nullable [] uses;

    @Setup
    public void prepare() {
        PreparedStatement statement = PreparedStatement.named(
                (Traffic.PREPARED_SQL + "\0\0\0").getBytes(java.nio.charset.StandardCharsets.UTF_8),
                PlanContext.DEFAULT);
        StatementUse use = new StatementUse.Named(statement, Traffic.NAME, false);
        asked = Traffic.batch(DecodePolicy.FRONTEND, Traffic.parse());
        answered = Traffic.batch(DecodePolicy.BACKEND, new ParseComplete(), new ReadyForQuery(TransactionStatus.IDLE));
        uses = new @Nullable StatementUse[asked.marks()];
        uses[0] = use;
        oneLease();
        int times = what.equals("pipeline100") ? 100 : 1;
        boolean simple = what.equals("query") || what.equals("rows1000");
        WireMessage[] question = simple ? Traffic.query() : Traffic.repeated(times, Traffic.execute());
        WireMessage[] answer = simple
                ? Traffic.queryAnswer(what.equals("rows1000") ? 1000 : 1)
                : Traffic.repeated(times, Traffic.executeAnswer());
        asked = Traffic.batch(DecodePolicy.FRONTEND, question);
        answered = Traffic.batch(DecodePolicy.BACKEND, answer);
        uses = simple ? null : usesOfBinds(asked, use);
    }

    private static @Nullable StatementUse[] usesOfBinds(Batch batch, StatementUse use) {
        @Nullable StatementUse[] uses = new @Nullable StatementUse[batch.marks()];
        for (int mark = 0; mark < batch.marks(); mark++) {
            if (batch.type(mark) == 'B') {
                uses[mark] = use;
            }
        }
        return uses;
    }

    /// Returns how many bytes went either way.
    @Benchmark
    public int oneLease() {
        asked.bytes().retain();
        var toServer = talk.toServer(asked, uses);
        int bytes = toServer.readableBytes();
        toServer.release();
        answered.bytes().retain();
        ServerOutput output = talk.fromServer(answered);
        bytes += output.bytes().readableBytes();
        output.bytes().release();
        if (!talk.settled()) {
            throw new IllegalStateException("something is still owed");
        }
        return bytes;
    }
}
