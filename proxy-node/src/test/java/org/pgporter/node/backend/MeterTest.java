package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pgporter.cluster.PoolKey;
import org.pgporter.node.stats.PoolTotals;
import org.pgporter.node.stats.Statistics;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.message.WireMessage;

final class MeterTest {
    private static final PoolKey POOL = new PoolKey("db", "app");

    private final Statistics statistics = new Statistics(1);
    private final List<SqlState> errors = new ArrayList<>();
    private long clock = -1_000; // nanoTime() may be anything
    private final Meter meter = new Meter(statistics.of(POOL, 0), errors::add, () -> clock);

    @Test
    void shouldTimeAQueryAndTheTransactionAroundIt() {
        sent(new Query("begin"));
        clock += 10;
        meter.ready(TransactionStatus.IN_TRANSACTION, false);
        clock += 100; // the client thinks
        assertThat(meter.transactionAge()).isEqualTo(110);
        sent(new Query("commit"));
        clock += 5;
        meter.ready(TransactionStatus.IDLE, false);

        assertThat(totals().queries()).isEqualTo(2);
        assertThat(totals().queryTime()).isEqualTo(15);
        assertThat(totals().transactions()).isEqualTo(1);
        assertThat(totals().transactionTime()).isEqualTo(115);
        assertThat(meter.transactionAge()).isZero();
    }

    @Test
    void shouldCountEachAnswerOfAPipelineOnce() {
        sent(new Parse("s", "select 1", List.of()), new Sync());
        sent(new Query("select 2"));
        clock += 10;
        meter.ready(TransactionStatus.IDLE, true);
        clock += 20;
        meter.ready(TransactionStatus.IDLE, false);

        assertThat(totals().queries()).isEqualTo(2);
        assertThat(totals().transactions()).isEqualTo(2);
        assertThat(totals().queryTime()).isEqualTo(30);
        assertThat(totals().transactionTime()).isEqualTo(30);
        assertThat(totals().clientParses()).isEqualTo(1);
        assertThat(totals().bytesFromClients()).isEqualTo(18 + 5 + 14);
    }

    @Test
    void shouldNotCountForTheNextClientWhatTheLastOneLeftOpen() {
        sent(new Query("begin"));
        clock += 10;
        meter.ready(TransactionStatus.IN_TRANSACTION, false);
        sent(new Query("select 1"));
        meter.handedOver();
        clock += 1_000;
        meter.ready(TransactionStatus.IN_TRANSACTION, false); // the rest of what it asked
        sent(new Query("select 2"));
        clock += 3;
        meter.ready(TransactionStatus.IDLE, false);

        assertThat(totals().queries()).isEqualTo(2);
        assertThat(totals().transactions()).isEqualTo(1);
        assertThat(totals().transactionTime()).isEqualTo(3);
    }

    @Test
    void shouldHearOfErrors() {
        meter.failed(new SqlState("22012"));
        assertThat(errors).containsExactly(new SqlState("22012"));
    }

    private void sent(WireMessage... messages) {
        var batch = Wires.client(messages);
        meter.sent(batch);
        batch.release();
    }

    private PoolTotals totals() {
        return statistics.byPool().getOrDefault(POOL, PoolTotals.none());
    }
}
