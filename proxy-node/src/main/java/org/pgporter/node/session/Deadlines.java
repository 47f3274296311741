package org.pgporter.node.session;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// The deadlines of one session, with one wake-up for all of them.
///
/// Most deadlines are called off long before they come: that of a query, when it is answered. So no timer is
/// started and stopped for each. A wake-up that is on its way stays on its way; when it comes and nothing is
/// due, the next one is ordered for what is then the earliest deadline. To arm one that is later than the
/// wake-up on its way, and to call one off, is to write two fields.
///
/// Mutable and confined to its session. A deadline without a limit is never armed.
final class Deadlines {
    /// What may take too long, in the order in which it is reported when several are due at once.
    enum Kind {
        QUERY,
        IDLE_TRANSACTION,
        TRANSACTION,
        CLIENT_IDLE,
        QUEUED
    }

    /// Schedulers take no delay without end (Pekko's: 248 days); who waits longer is woken in between.
    static final Duration LONGEST_WAIT = Duration.ofDays(1);

    private static final Kind[] KINDS = Kind.values();

    private final long[] limits = new long[KINDS.length];
    private final long[] due = new long[KINDS.length];
    private final LongSupplier nanoTime;
    private final Consumer<Duration> alarm;

    /// One bit for each kind.
    private int armed;

    private boolean wakeUpOrdered;
    private long wakeUpAt;

    /// @param limits how long each may take; a kind that is missing or zero has no limit
    /// @param nanoTime a monotonic clock: a wall clock that is set must not end sessions
    /// @param alarm orders a call of [#wakeUp] after this time, in place of the one ordered before
    Deadlines(Map<Kind, Duration> limits, LongSupplier nanoTime, Consumer<Duration> alarm) {
        new EnumMap<>(limits).forEach((kind, limit) -> this.limits[kind.ordinal()] = limit.toNanos());
        this.nanoTime = nanoTime;
        this.alarm = alarm;
    }

    /// From now on this may take as long as its limit.
    void arm(Kind kind) {
        long limit = limits[kind.ordinal()];
        if (limit == 0) {
            return;
        }
        long now = nanoTime.getAsLong();
        long at = now + limit;
        due[kind.ordinal()] = at;
        armed |= bit(kind);
        if (!wakeUpOrdered || at - wakeUpAt < 0) {
            orderWakeUp(at, now);
        }
    }

    /// Like [#arm], but one that is armed already keeps its time.
    void armIfNot(Kind kind) {
        if ((armed & bit(kind)) == 0) {
            arm(kind);
        }
    }

    void disarm(Kind kind) {
        armed &= ~bit(kind);
    }

    void disarmAll() {
        armed = 0;
    }

    /// The wake-up has come.
    ///
    /// @return what has taken too long; it is armed no longer
    Optional<Kind> wakeUp() {
        wakeUpOrdered = false;
        long now = nanoTime.getAsLong();
        Optional<Kind> overdue = Optional.empty();
        long next = Long.MAX_VALUE; // as a distance from now
        for (Kind kind : KINDS) {
            if ((armed & bit(kind)) == 0) {
                continue;
            }
            long left = due[kind.ordinal()] - now;
            if (left <= 0 && overdue.isEmpty()) {
                overdue = Optional.of(kind);
                disarm(kind);
            } else {
                next = Math.min(next, left);
            }
        }
        if (armed != 0) {
            orderWakeUp(now + next, now);
        }
        return overdue;
    }

    private void orderWakeUp(long at, long now) {
        long wait = Math.clamp(at - now, 0, LONGEST_WAIT.toNanos());
        wakeUpOrdered = true;
        wakeUpAt = now + wait;
        alarm.accept(Duration.ofNanos(wait));
    }

    private static int bit(Kind kind) {
        return 1 << kind.ordinal();
    }
}
