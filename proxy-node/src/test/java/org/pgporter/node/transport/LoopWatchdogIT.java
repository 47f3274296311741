package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.LoggerFactory;

final class LoopWatchdogIT {
    private static final String KINDS = "org.pgporter.node.transport.Loopback#kinds";
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /// The watchdog looks every 5 ms, so a loop that is held for [#HELD] is seen many times, also on a busy machine.
    private static final Duration SHORT = Duration.ofMillis(20);

    private static final Duration HELD = Duration.ofMillis(400);

    private final Logger log = (Logger) LoggerFactory.getLogger(LoopWatchdog.class);
    private final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event);
        }
    };

    @BeforeEach
    void watchTheLog() {
        appender.start();
        log.addAppender(appender);
    }

    @AfterEach
    void leaveTheLog() {
        log.detachAppender(appender);
    }

    @ParameterizedTest
    @MethodSource(KINDS)
    void shouldSayOnceWhatHasHeldALoopAndForHowLong(IoKind kind) {
        try (EventLoops loops = EventLoops.start(kind, 2, SHORT)) {
            // Given: nobody does anything, and the watchdog sleeps
            await().atMost(PATIENCE).until(loops.watchdog()::asleep);
            long heldBefore = loops.lags().get(1).held();
            lines.clear();

            // When
            holdUntilSeen(loops, 1);

            // Then
            await().atMost(PATIENCE).until(() -> !heldLines().isEmpty());
            assertThat(heldLines()).singleElement().satisfies(line -> {
                assertThat(line.getLevel()).isEqualTo(Level.WARN);
                assertThat(keys(line)).containsEntry(LogKeys.LOOP, 1);
                assertThat((Duration) keys(line).get(LogKeys.DURATION)).isGreaterThanOrEqualTo(HELD);
                assertThat((Integer) keys(line).get(LogKeys.COUNT)).isPositive();
                assertThat(ThrowableProxyUtil.asString(line.getThrowableProxy()))
                        .contains("LoopWatchdogIT.waitAsNobodyShould", "CountDownLatch.await");
            });
            LoopLag held = loops.lags().get(1);
            assertThat(held.held()).isEqualTo(heldBefore + 1);
            assertThat(held.total()).isGreaterThanOrEqualTo(HELD);
            assertThat(turnsAbove(held, HELD.dividedBy(2))).isPositive();
            assertThat(turnsAbove(loops.lags().get(0), HELD)).isZero();
        }
    }

    @Test
    void shouldShowALoopThatIsHeldWhileItIs() {
        try (EventLoops loops = EventLoops.start(IoKind.AUTO, 1, SHORT)) {
            Duration longest = holdUntilSeen(loops, 0);
            assertThat(longest).isGreaterThanOrEqualTo(HELD);

            // The time while it was held has been read, the rest of that turn has not.
            await().atMost(PATIENCE)
                    .until(() -> loops.lags().getFirst().current().isZero());
            await().atMost(PATIENCE)
                    .untilAsserted(
                            () -> assertThat(loops.lags().getFirst().longest()).isLessThan(HELD));
        }
    }

    @Test
    void shouldNotReportALoopThatIsBusyAndAnswers() throws Exception {
        Duration patient = Duration.ofMillis(500);
        try (EventLoops loops = EventLoops.start(IoKind.AUTO, 1, patient)) {
            // When: turns of a millisecond, one after the other, together for longer than one turn may last
            LoopLag lag = loops.lags().getFirst();
            while (lag.total().compareTo(patient.multipliedBy(2)) < 0) {
                loops.loop(0).submit(LoopWatchdogIT::work).get(20, TimeUnit.SECONDS);
                // A task that comes before the turn has ended belongs to it.
                do {
                    lag = loops.lags().getFirst();
                } while (!lag.current().isZero());
            }
            // Then
            assertThat(lag.held()).isZero();
            assertThat(heldLines()).isEmpty();
        }
    }

    @Test
    void shouldMeasureAndSayNothingWithoutAThreshold() {
        try (EventLoops loops = EventLoops.start(IoKind.AUTO, 1, Duration.ZERO)) {
            holdUntilSeen(loops, 0);

            await().atMost(PATIENCE).until(() -> turnsAbove(loops.lags().getFirst(), HELD.dividedBy(2)) == 1);
            assertThat(loops.lags().getFirst().held()).isZero();
            assertThat(watchdogs()).isEmpty();
            assertThat(lines).isEmpty();
        }
    }

    @Test
    void shouldEndWithTheLoops() {
        try (EventLoops loops = EventLoops.start(IoKind.AUTO, 1, SHORT)) {
            await().atMost(PATIENCE).until(loops.watchdog()::asleep);
            assertThat(watchdogs()).hasSize(1);
        }
        assertThat(watchdogs()).isEmpty();
    }

    @Test
    void shouldPutEachTurnIntoItsBucket() {
        List<Duration> bounds = LoopLag.bounds();
        assertThat(bounds).startsWith(Duration.ofNanos(100_000), Duration.ofNanos(200_000));
        assertThat(bounds.getLast()).isEqualTo(Duration.ofNanos(819_200_000));
        for (int i = 0; i < bounds.size(); i++) {
            assertThat(LoopClock.bucket(bounds.get(i).toNanos())).isEqualTo(i);
            assertThat(LoopClock.bucket(bounds.get(i).toNanos() + 1)).isEqualTo(i + 1);
        }
        assertThat(LoopClock.bucket(0)).isZero();
        assertThat(LoopClock.bucket(Long.MAX_VALUE)).isEqualTo(bounds.size());
    }

    /// Returns the longest time that was shown while the loop was held.
    private static Duration holdUntilSeen(EventLoops loops, int index) {
        CountDownLatch latch = new CountDownLatch(1);
        loops.loop(index).execute(() -> waitAsNobodyShould(latch));
        try {
            return await().atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> loops.lags().get(index), lag -> lag.current().compareTo(HELD) >= 0)
                    .longest();
        } finally {
            latch.countDown();
        }
    }

    private static void waitAsNobodyShould(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void work() {
        long end = System.nanoTime() + 1_000_000;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private static long turnsAbove(LoopLag lag, Duration bound) {
        long sum = lag.turns().getLast();
        for (int i = 1; i < LoopLag.bounds().size(); i++) {
            sum += LoopLag.bounds().get(i - 1).compareTo(bound) >= 0
                    ? lag.turns().get(i)
                    : 0;
        }
        return sum;
    }

    /// Lines about loops; a busy machine may add some about itself.
    private List<ILoggingEvent> heldLines() {
        return lines.stream()
                .filter(line -> keys(line).containsKey(LogKeys.LOOP))
                .toList();
    }

    private static Map<String, Object> keys(ILoggingEvent line) {
        return line.getKeyValuePairs().stream().collect(Collectors.toMap(pair -> pair.key, pair -> pair.value));
    }

    private static List<Thread> watchdogs() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("pgporter-watchdog"))
                .toList();
    }
}
