package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.pgporter.config.PoolOptions;
import org.pgporter.config.TimeoutOptions;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.TransactionStatus;

/// Which timeout runs when (checklist 117). Time passes second by second, and every wake-up comes.
class SessionTimeoutsTest {
    private static final Duration WAIT = Duration.ofSeconds(100);

    private long now = -5_000_000_000L;
    private @Nullable Long wakeUpAt;
    private int wakeUps;
    private int notices;
    private final List<String> ends = new ArrayList<>();

    @Test
    void shouldEndAQueryThatRunsTooLong() {
        SessionTimeouts timeouts = with(all -> all.withQueryTimeout(Duration.ofSeconds(10)));
        timeouts.idle();
        pass(timeouts, 100);
        timeouts.queued();
        pass(timeouts, 4); // in the queue
        timeouts.attached();
        pass(timeouts, 5);
        assertThat(ends).isEmpty();
        pass(timeouts, 2);
        assertThat(ends).containsExactly("57014");
    }

    /// PgBouncer's query_timeout used to end idle transactions, too (its #1395).
    @Test
    void shouldRunTheQueryTimeoutOnlyWhileAQueryIsInFlight() {
        SessionTimeouts timeouts = with(all -> all.withQueryTimeout(Duration.ofSeconds(10)));
        timeouts.idle();
        timeouts.queued();
        timeouts.attached();
        pass(timeouts, 9);
        timeouts.answered(TransactionStatus.IN_TRANSACTION);
        pass(timeouts, 1000);
        timeouts.querySent();
        pass(timeouts, 9);
        timeouts.answered(TransactionStatus.FAILED);
        pass(timeouts, 1000);
        timeouts.querySent();
        pass(timeouts, 9);
        timeouts.answered(TransactionStatus.IDLE);
        timeouts.idle();
        pass(timeouts, 1000);

        assertThat(ends).isEmpty();
    }

    /// What is sent while a query is in flight is no new beginning.
    @Test
    void shouldMeasureAPipelineFromItsBeginning() {
        SessionTimeouts timeouts = with(all -> all.withQueryTimeout(Duration.ofSeconds(10)));
        timeouts.queued();
        timeouts.attached();
        for (int i = 0; i < 9; i++) {
            timeouts.querySent();
            pass(timeouts, 1);
        }
        assertThat(ends).isEmpty();
        timeouts.querySent();
        pass(timeouts, 2);
        assertThat(ends).containsExactly("57014");
    }

    @Test
    void shouldMeasureATransactionFromItsBackendToItsEnd() {
        SessionTimeouts timeouts = with(all -> all.withTransactionTimeout(Duration.ofSeconds(10)));
        timeouts.queued();
        pass(timeouts, 50); // there is no transaction yet
        timeouts.attached();
        pass(timeouts, 6);
        timeouts.answered(TransactionStatus.IN_TRANSACTION);
        pass(timeouts, 3);
        timeouts.querySent();
        assertThat(ends).isEmpty();
        pass(timeouts, 2);
        assertThat(ends).containsExactly("25P04");
    }

    @Test
    void shouldMeasureEachTransactionByItself() {
        SessionTimeouts timeouts = with(all -> all.withTransactionTimeout(Duration.ofSeconds(10)));
        timeouts.queued();
        timeouts.attached();
        for (int i = 0; i < 10; i++) { // a session that keeps its backend connection
            timeouts.querySent();
            pass(timeouts, 8);
            timeouts.answered(TransactionStatus.IDLE);
            pass(timeouts, 100);
        }
        assertThat(ends).isEmpty();
    }

    /// PgBouncer's idle_transaction_timeout used to count from the client's last request (its #125).
    @Test
    void shouldMeasureIdlenessInATransactionFromTheLastAnswer() {
        SessionTimeouts timeouts = with(all -> all.withIdleTransactionTimeout(Duration.ofSeconds(10)));
        timeouts.queued();
        timeouts.attached();
        pass(timeouts, 100);
        timeouts.answered(TransactionStatus.IN_TRANSACTION);
        pass(timeouts, 9);
        timeouts.querySent();
        pass(timeouts, 100);
        timeouts.answered(TransactionStatus.FAILED);
        pass(timeouts, 9);
        assertThat(ends).isEmpty();
        pass(timeouts, 2);
        assertThat(ends).containsExactly("25P03");
    }

    @Test
    void shouldEndNoIdleTransactionThatIsOver() {
        SessionTimeouts timeouts = with(all -> all.withIdleTransactionTimeout(Duration.ofSeconds(10)));
        timeouts.queued();
        timeouts.attached();
        timeouts.answered(TransactionStatus.IN_TRANSACTION);
        pass(timeouts, 9);
        timeouts.querySent();
        timeouts.answered(TransactionStatus.IDLE);
        pass(timeouts, 1000);
        assertThat(ends).isEmpty();
    }

    @Test
    void shouldEndAClientThatIsIdle() {
        SessionTimeouts timeouts = with(all -> all.withClientIdleTimeout(Duration.ofSeconds(10)));
        timeouts.idle();
        pass(timeouts, 9);
        timeouts.queued();
        pass(timeouts, 50);
        timeouts.attached();
        pass(timeouts, 50);
        timeouts.answered(TransactionStatus.IN_TRANSACTION);
        pass(timeouts, 50);
        timeouts.querySent();
        timeouts.answered(TransactionStatus.IDLE);
        pass(timeouts, 9);
        timeouts.querySent(); // session mode: the backend connection is still there
        pass(timeouts, 50);
        timeouts.answered(TransactionStatus.IDLE);
        pass(timeouts, 9);
        assertThat(ends).isEmpty();
        pass(timeouts, 2);
        assertThat(ends).containsExactly("57P05");
    }

    @Test
    void shouldTellOnceThatTheClientWaits() {
        SessionTimeouts timeouts = with(all -> all.withQueryWaitNotify(Duration.ofSeconds(5)));
        timeouts.queued();
        pass(timeouts, 4);
        assertThat(notices).isZero();
        pass(timeouts, 2);
        assertThat(notices).isEqualTo(1);
        pass(timeouts, 90);
        timeouts.attached();
        assertThat(notices).isEqualTo(1);
        timeouts.answered(TransactionStatus.IDLE);
        timeouts.queued();
        pass(timeouts, 4);
        timeouts.attached();
        pass(timeouts, 100);
        assertThat(notices).isEqualTo(1);
        assertThat(ends).isEmpty();
    }

    @Test
    void shouldNotTellWhoWillHearTheErrorAtThatTime() {
        SessionTimeouts timeouts = with(all -> all.withQueryWaitNotify(WAIT));
        timeouts.queued();
        pass(timeouts, 1000);
        assertThat(notices).isZero();
        assertThat(wakeUps).isZero();
    }

    @Test
    void shouldAskForNoWakeUpByDefault() {
        SessionTimeouts timeouts = new SessionTimeouts(PoolOptions.defaults(), () -> now, orderer());
        timeouts.idle();
        timeouts.queued();
        timeouts.attached();
        timeouts.querySent();
        timeouts.answered(TransactionStatus.IN_TRANSACTION);
        timeouts.querySent();
        timeouts.answered(TransactionStatus.IDLE);
        assertThat(wakeUpAt).isNull();
    }

    @Test
    void shouldWakeUpASessionThatIsBusyOncePerLimit() {
        SessionTimeouts timeouts = with(all -> all.withQueryTimeout(Duration.ofSeconds(30))
                .withTransactionTimeout(Duration.ofSeconds(60))
                .withIdleTransactionTimeout(Duration.ofSeconds(45)));
        for (int i = 0; i < 600; i++) {
            timeouts.queued();
            timeouts.attached();
            timeouts.answered(TransactionStatus.IN_TRANSACTION);
            timeouts.querySent();
            timeouts.answered(TransactionStatus.IDLE);
            pass(timeouts, 1);
        }
        assertThat(ends).isEmpty();
        assertThat(wakeUps).isBetween(10, 21);
    }

    // ---- time

    private SessionTimeouts with(UnaryOperator<TimeoutOptions> change) {
        TimeoutOptions none = TimeoutOptions.defaults().withQueryWaitNotify(Duration.ZERO);
        PoolOptions options = PoolOptions.defaults().withQueryWaitTimeout(WAIT).withTimeouts(change.apply(none));
        return new SessionTimeouts(options, () -> now, orderer());
    }

    private Consumer<Duration> orderer() {
        return wait -> wakeUpAt = now + wait.toNanos();
    }

    private void pass(SessionTimeouts timeouts, int seconds) {
        for (int i = 0; i < seconds; i++) {
            now += 1_000_000_000L;
            while (wakeUpAt != null && wakeUpAt - now <= 0) {
                wakeUpAt = null;
                wakeUps++;
                Optional<ErrorResponse> end = timeouts.wakeUp(() -> notices++);
                end.ifPresent(error -> ends.add(error.sqlState().code()));
            }
        }
    }
}
