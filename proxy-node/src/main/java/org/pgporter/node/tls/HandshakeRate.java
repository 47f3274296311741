package org.pgporter.node.tls;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// Spaces handshakes so that no more than so many begin in a second. For many threads.
final class HandshakeRate {
    private final long interval;
    private final long patience;
    private final LongSupplier clock;
    private final AtomicLong next;

    /// @param perSecond 0: no limit
    /// @param patience who would have to wait longer is refused, and takes nobody's place
    HandshakeRate(int perSecond, Duration patience) {
        this(perSecond, patience, System::nanoTime);
    }

    HandshakeRate(int perSecond, Duration patience, LongSupplier clock) {
        this.interval = perSecond == 0 ? 0 : TimeUnit.SECONDS.toNanos(1) / perSecond;
        this.patience = patience.toNanos();
        this.clock = clock;
        this.next = new AtomicLong(clock.getAsLong());
    }

    /// Takes a turn.
    ///
    /// @return nanoseconds until it comes, 0 for now; empty: there is none
    OptionalLong take() {
        if (interval == 0) {
            return OptionalLong.of(0);
        }
        long now = clock.getAsLong();
        while (true) {
            long before = next.get();
            long turn = before - now > 0 ? before : now;
            if (turn - now > patience) {
                return OptionalLong.empty();
            }
            if (next.compareAndSet(before, turn + interval)) {
                return OptionalLong.of(turn - now);
            }
        }
    }
}
