package org.pgporter.node.transport;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watches all event loops of a node from one thread, and logs what has held one of them.
///
/// Loops measure their turns themselves ([LoopClock]), so the watchdog wakes none. It looks four times in the time
/// that a turn may last; a turn that is too long by then has its stack taken, a few times at growing distances.
/// When the turn is over there is one line about it. One that does not end gets a line while it lasts.
///
/// While all loops wait and there is little to do the watchdog sleeps; the next turn wakes it. So an idle node is
/// left alone. If that turn is the long one, it may be over before its stack was taken: then the line
/// says how long it was, and no more.
///
/// When the watchdog itself comes late by much of a turn's time, it was not the loop that was held: the whole process
/// stood still, for the garbage collector or because the machine did not run it. That is one line of its own.
final class LoopWatchdog implements LoopClock.Watcher, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LoopWatchdog.class);
    private static final String THREAD = "pgporter-watchdog";

    private static final int LOOKS_PER_THRESHOLD = 4;
    private static final int MOST_STACKS = 4;

    /// With no more turns than this of all loops between two looks the watchdog sleeps. A waiting loop of Netty has one
    /// each second all the same. Each end of a sleep costs a loop a wake-up call.
    private static final int FEW_TURNS = 2;

    /// A wake-up call is not lost for long.
    private static final long MOST_SLEEP_NANOS = TimeUnit.SECONDS.toNanos(10);

    /// A turn that lasts for so long may last for ever.
    private static final long ENDLESS_NANOS = TimeUnit.SECONDS.toNanos(10);

    /// What was seen of a turn while it lasted.
    private static final class Sighting {
        final long since;
        final List<StackTraceElement[]> stacks = new ArrayList<>();
        long nextStackAt;
        boolean endless;

        Sighting(long since) {
            this.since = since;
        }
    }

    private final long threshold;
    private final long tick;
    private final List<GarbageCollectorMXBean> collectors;
    private final Pauses pauses;

    /// While loops start, classes are loaded and nobody waits.
    private long since;

    private final Thread thread;
    private volatile List<LoopClock> clocks = List.of();
    private volatile AtomicLongArray held = new AtomicLongArray(0);
    private List<Optional<Sighting>> sightings = List.of();
    private volatile boolean asleep;
    private volatile boolean closed;

    /// @param threshold how long a turn may be; zero: the watchdog does nothing, and the clocks measure all the same
    LoopWatchdog(Duration threshold) {
        this.threshold = threshold.isZero() ? Long.MAX_VALUE : threshold.toNanos();
        this.tick = this.threshold / LOOKS_PER_THRESHOLD;
        this.pauses = new Pauses(this.threshold / 2);
        this.collectors = ManagementFactory.getGarbageCollectorMXBeans().stream()
                // What a concurrent collector's cycle takes is no pause.
                .filter(bean -> !bean.getName().endsWith("Cycles"))
                .toList();
        this.thread = Thread.ofPlatform().name(THREAD).daemon().unstarted(this::watch);
    }

    /// Starts to watch these loops, unless there is no threshold.
    void start(List<LoopClock> loops) {
        held = new AtomicLongArray(loops.size());
        clocks = loops;
        since = System.nanoTime();
        if (threshold != Long.MAX_VALUE) {
            thread.start();
        }
    }

    /// How the loops do, in their order. Begins a new [LoopLag#longest].
    List<LoopLag> read() {
        List<LoopLag> lags = new ArrayList<>();
        for (int i = 0; i < clocks.size(); i++) {
            lags.add(clocks.get(i).read(i, held.get(i)));
        }
        return lags;
    }

    @Override
    public long thresholdNanos() {
        return threshold;
    }

    @Override
    public boolean asleep() {
        return asleep;
    }

    @Override
    public void wake() {
        asleep = false;
        LockSupport.unpark(thread);
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void watch() {
        sightings = new ArrayList<>(
                clocks.stream().map(_ -> Optional.<Sighting>empty()).toList());
        long turns = turns();
        long collected = collectorMillis();
        while (!closed) {
            long before = System.nanoTime();
            LockSupport.parkNanos(this, tick);
            long now = System.nanoTime();
            long collectedNow = collectorMillis();
            notePause(pauses.woke(before, tick, now), collectedNow - collected);
            collected = collectedNow;
            for (int i = 0; i < clocks.size(); i++) {
                look(i, now);
            }
            long turnsBefore = turns;
            turns = turns();
            if (turns - turnsBefore <= FEW_TURNS && allWait()) {
                sleep();
                collected = collectorMillis();
            }
        }
    }

    /// Until a loop has something to do.
    private void sleep() {
        asleep = true;
        if (!closed && allWait()) {
            LockSupport.parkNanos(this, MOST_SLEEP_NANOS);
        }
        asleep = false;
    }

    private boolean allWait() {
        for (LoopClock clock : clocks) {
            if (clock.turnSince() != 0) {
                return false;
            }
        }
        return true;
    }

    private long turns() {
        long sum = 0;
        for (LoopClock clock : clocks) {
            sum += clock.turns();
        }
        return sum;
    }

    private long collectorMillis() {
        long sum = 0;
        for (GarbageCollectorMXBean collector : collectors) {
            sum += Math.max(0, collector.getCollectionTime());
        }
        return sum;
    }

    private void notePause(long late, long collectedMillis) {
        if (late >= threshold) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.DURATION, Duration.ofNanos(late))
                    .addKeyValue(LogKeys.COLLECTOR, Duration.ofMillis(collectedMillis))
                    .log("the whole process stood still");
        }
    }

    private void look(int index, long now) {
        LoopClock clock = clocks.get(index);
        for (Optional<LoopClock.LongTurn> turn = clock.nextLongTurn(); turn.isPresent(); turn = clock.nextLongTurn()) {
            ended(index, turn.get());
        }
        long since = clock.turnSince();
        if (since == 0 || now - since < threshold) {
            return;
        }
        Sighting sighting = sightings.get(index).filter(it -> it.since == since).orElseGet(() -> new Sighting(since));
        sightings.set(index, Optional.of(sighting));
        if (now >= sighting.nextStackAt && sighting.stacks.size() < MOST_STACKS) {
            takeStack(clock, sighting);
            sighting.nextStackAt = now + (now - since);
        }
        if (now - since >= ENDLESS_NANOS && !sighting.endless) {
            sighting.endless = true;
            LOG.atError()
                    .addKeyValue(LogKeys.LOOP, index)
                    .addKeyValue(LogKeys.DURATION, Duration.ofNanos(now - since))
                    .setCause(new Held(sighting.stacks))
                    .log("an event loop is held, and still is");
        }
    }

    /// The stack counts only if the loop was in the same turn all the while.
    private static void takeStack(LoopClock clock, Sighting sighting) {
        clock.thread().ifPresent(loop -> {
            StackTraceElement[] stack = loop.getStackTrace();
            if (clock.turnSince() == sighting.since) {
                sighting.stacks.add(stack);
            }
        });
    }

    private void ended(int index, LoopClock.LongTurn turn) {
        List<StackTraceElement[]> stacks = sightings
                .get(index)
                .filter(it -> it.since == turn.since())
                .map(it -> it.stacks)
                .orElse(List.of());
        if (turn.since() < since || pauses.ran(turn.since(), turn.nanos()) < threshold) {
            return;
        }
        held.incrementAndGet(index);
        LOG.atWarn()
                .addKeyValue(LogKeys.LOOP, index)
                .addKeyValue(LogKeys.DURATION, Duration.ofNanos(turn.nanos()))
                .addKeyValue(LogKeys.COUNT, stacks.size())
                .setCause(stacks.isEmpty() ? null : new Held(stacks))
                .log("an event loop was held; its stack was taken so many times");
    }

    /// Carries the stacks of a loop into the log: the first as its own, others as suppressed ones where they differ.
    private static final class Held extends Exception {
        private static final long serialVersionUID = 1;

        Held(List<StackTraceElement[]> stacks) {
            super("what the loop was doing", null, true, true);
            setStackTrace(stacks.isEmpty() ? new StackTraceElement[0] : stacks.getFirst());
            stacks.stream()
                    .skip(1)
                    .filter(stack -> !Arrays.equals(stack, stacks.getFirst()))
                    .forEach(stack -> addSuppressed(new Held(List.<StackTraceElement[]>of(stack))));
        }
    }
}
