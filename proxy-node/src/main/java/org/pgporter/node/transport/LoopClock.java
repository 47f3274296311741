package org.pgporter.node.transport;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/// Measures the turns of one event loop from inside. A turn begins when the loop has waited for its sockets and
/// ends when it looks at them again; whatever comes meanwhile waits for so long. So the length of a turn is the
/// loop's lag, and none is missed: there is no heartbeat that would have to wake the loop.
///
/// It wraps the loop's I/O handler. Netty asks its context whether active time shall be reported right behind the
/// wait, with each kind of I/O: that is where a turn begins. Costs two looks at the clock for each turn, which
/// serves as many clients as were ready.
///
/// Written by the loop's thread alone. Others read, and may see what was a moment ago.
final class LoopClock implements IoHandler {
    /// Upper bounds of all buckets but the last: 0.1 ms, and twice that each time.
    static final int BOUNDS = 14;

    static final long FIRST_BOUND_NANOS = 100_000;

    /// Long turns that nobody has looked at yet. If there are more, their number is known, and nothing else.
    private static final int MOST_UNREAD = 16;

    private static final VarHandle TURN_SINCE;
    private static final VarHandle LONGEST;
    private static final VarHandle BUCKETS = MethodHandles.arrayElementVarHandle(long[].class);

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TURN_SINCE = lookup.findVarHandle(LoopClock.class, "turnSince", long.class);
            LONGEST = lookup.findVarHandle(LoopClock.class, "longest", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// A turn that was longer than the threshold; nanoseconds of [System#nanoTime].
    record LongTurn(long since, long nanos) {}

    private final IoHandler handler;
    private final ThreadAwareExecutor loop;
    private final Watcher watcher;
    private final long[] buckets = new long[BOUNDS + 1];
    private final Queue<LongTurn> longTurns = new ArrayBlockingQueue<>(MOST_UNREAD);
    private final Turns turns = new Turns();
    private volatile @Nullable Thread thread;

    /// When the turn began; 0 while the loop waits.
    private long turnSince;

    private long longest;
    private long total;

    /// Who wants to know that loops work again, and of long turns.
    interface Watcher {
        /// How long a turn has to be to be told of.
        long thresholdNanos();

        /// Whether [#wake] shall be called when a turn begins.
        boolean asleep();

        void wake();
    }

    private LoopClock(IoHandler handler, ThreadAwareExecutor loop, Watcher watcher) {
        this.handler = handler;
        this.loop = loop;
        this.watcher = watcher;
    }

    /// Makes handlers that measure, and adds the clock of each to the list.
    static IoHandlerFactory measured(IoHandlerFactory handlers, Watcher watcher, List<LoopClock> clocks) {
        return new IoHandlerFactory() {
            @Override
            public IoHandler newHandler(ThreadAwareExecutor loop) {
                LoopClock clock = new LoopClock(handlers.newHandler(loop), loop, watcher);
                clocks.add(clock);
                return clock;
            }

            @Override
            public boolean isChangingThreadSupported() {
                return handlers.isChangingThreadSupported();
            }
        };
    }

    /// The clocks in the order of their loops.
    static List<LoopClock> inOrder(List<LoopClock> clocks, List<? extends ThreadAwareExecutor> loops) {
        List<LoopClock> ordered = new ArrayList<>();
        for (ThreadAwareExecutor loop : loops) {
            clocks.stream().filter(clock -> clock.loop == loop).forEach(ordered::add);
        }
        return List.copyOf(ordered);
    }

    @Override
    public int run(IoHandlerContext context) {
        turnEnds();
        turns.context = context;
        int handled = handler.run(turns);
        if (turnSince == 0) {
            turnBegins(); // the handler has failed before it asked
        }
        return handled;
    }

    /// The handler's context as it is, but for the question that says that the wait is over.
    private final class Turns implements IoHandlerContext {
        private @Nullable IoHandlerContext context;

        private IoHandlerContext context() {
            return Objects.requireNonNull(context);
        }

        @Override
        public boolean canBlock() {
            return context().canBlock();
        }

        @Override
        public long delayNanos(long currentTimeNanos) {
            return context().delayNanos(currentTimeNanos);
        }

        @Override
        public long deadlineNanos() {
            return context().deadlineNanos();
        }

        @Override
        public void reportActiveIoTime(long activeNanos) {
            context().reportActiveIoTime(activeNanos);
        }

        @Override
        public boolean shouldReportActiveIoTime() {
            turnBegins();
            return context().shouldReportActiveIoTime();
        }
    }

    private void turnBegins() {
        long now = System.nanoTime();
        TURN_SINCE.setRelease(this, now == 0 ? 1 : now);
        if (watcher.asleep()) {
            watcher.wake();
        }
    }

    private void turnEnds() {
        long since = turnSince;
        if (since != 0) {
            count(since, System.nanoTime() - since);
            TURN_SINCE.setRelease(this, 0L);
        }
    }

    private void count(long since, long nanos) {
        int bucket = bucket(nanos);
        BUCKETS.setOpaque(buckets, bucket, buckets[bucket] + 1);
        total += nanos;
        if (nanos > longest) {
            // A reader may put it back to zero at the same moment; then one of both comes first.
            long seen = longest;
            while (nanos > seen && !LONGEST.compareAndSet(this, seen, nanos)) {
                seen = (long) LONGEST.getOpaque(this);
            }
        }
        if (nanos >= watcher.thresholdNanos()) {
            longTurns.offer(new LongTurn(since, nanos));
            watcher.wake();
        }
    }

    /// The first bucket whose bound is not below.
    static int bucket(long nanos) {
        if (nanos <= FIRST_BOUND_NANOS) {
            return 0;
        }
        long quotient = (nanos - 1) / FIRST_BOUND_NANOS;
        return Math.min(BOUNDS, Long.SIZE - Long.numberOfLeadingZeros(quotient));
    }

    /// When the current turn began, as [System#nanoTime]; 0 while the loop waits for its sockets.
    long turnSince() {
        return (long) TURN_SINCE.getAcquire(this);
    }

    /// How many turns there were.
    long turns() {
        long sum = 0;
        for (int i = 0; i < buckets.length; i++) {
            sum += (long) BUCKETS.getOpaque(buckets, i);
        }
        return sum;
    }

    /// The long turn that ended first of those that nobody has asked for.
    Optional<LongTurn> nextLongTurn() {
        return Optional.ofNullable(longTurns.poll());
    }

    /// The loop's thread, once it runs.
    Optional<Thread> thread() {
        return Optional.ofNullable(thread);
    }

    /// @param held how often this loop was held, which the clock cannot tell from a pause of the whole process
    LoopLag read(int index, long held) {
        List<Long> counts = new ArrayList<>(buckets.length);
        for (int i = 0; i < buckets.length; i++) {
            counts.add((long) BUCKETS.getOpaque(buckets, i));
        }
        long since = turnSince();
        long current = since == 0 ? 0 : Math.max(0, System.nanoTime() - since);
        long most = Math.max(current, (long) LONGEST.getAndSet(this, 0L));
        return new LoopLag(
                index, Duration.ofNanos(current), Duration.ofNanos(most), Duration.ofNanos(total), held, counts);
    }

    @Override
    public void initialize() {
        thread = Thread.currentThread();
        handler.initialize();
    }

    @Override
    public void prepareToDestroy() {
        handler.prepareToDestroy();
    }

    @Override
    public void destroy() {
        handler.destroy();
    }

    @Override
    public IoRegistration register(IoHandle handle) throws Exception {
        return handler.register(handle);
    }

    @Override
    public void wakeup() {
        handler.wakeup();
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> handleType) {
        return handler.isCompatible(handleType);
    }
}
