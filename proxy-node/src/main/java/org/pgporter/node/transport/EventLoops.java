package org.pgporter.node.transport;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.FastThreadLocalThread;
import io.netty.util.concurrent.RejectedExecutionHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.setup.Setup;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The event loops of a node: Netty's threads that read and write sockets. Each is also the executor of a Pekko
/// dispatcher, so an actor of that dispatcher runs on the thread that serves its socket, and a message between
/// two of them is a queue operation and no wake-up.
///
/// Actors must be gone before the loops are: terminate the ActorSystem first, then [#close]. The other way
/// round the system waits for threads that no longer run.
public final class EventLoops implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoops.class);
    /// How long a loop may go on with messages before it looks at its sockets again.
    private static final int TASKS_MILLIS = 5;

    private static final String THREADS = "pgporter-loop-";
    private static final String DISPATCHERS = "pgporter.loops.loop-";

    private final Transport transport;
    private final MultiThreadIoEventLoopGroup group;
    private final List<EventLoop> loops;
    private final LoopWatchdog watchdog;

    private EventLoops(Transport transport, int count, Duration heldThreshold) {
        this.transport = transport;
        this.watchdog = new LoopWatchdog(heldThreshold);
        List<LoopClock> clocks = new ArrayList<>();
        this.group = new Group(count, LoopClock.measured(transport.loops(), watchdog, clocks));
        this.loops = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            EventLoop loop = group.next();
            // Netty starts a thread with the first task. Started in order, their names carry the loops' indexes.
            loop.execute(() -> {});
            loops.add(loop);
        }
        watchdog.start(LoopClock.inOrder(clocks, loops));
    }

    private static final class Group extends MultiThreadIoEventLoopGroup {
        Group(int count, IoHandlerFactory handlers) {
            super(count, threads(), handlers);
        }

        @Override
        protected IoEventLoop newChild(Executor executor, IoHandlerFactory handlers, @Nullable Object... arguments) {
            return new SingleThreadIoEventLoop(
                    this, executor, handlers, Integer.MAX_VALUE, RejectedExecutionHandlers.reject(), TASKS_MILLIS);
        }
    }

    private static ThreadFactory threads() {
        AtomicInteger next = new AtomicInteger();
        return work -> {
            Thread thread = new FastThreadLocalThread(work, THREADS + next.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        };
    }

    /// Starts the threads, `pgporter-loop-0` and so on.
    ///
    /// @param count at least 1
    /// @param heldThreshold how long a loop may keep its sockets waiting before that is logged; zero: never
    /// @throws TransportUnavailable when a named kind does not work here
    public static EventLoops start(IoKind wanted, int count, Duration heldThreshold) {
        if (count < 1) {
            throw new IllegalArgumentException("event loops: must be at least 1, was " + count);
        }
        Transport transport = Transport.of(wanted);
        if (!transport.withoutEffect().isEmpty()) {
            LOG.atInfo()
                    .addKeyValue(LogKeys.IO, transport.kind())
                    .addKeyValue(LogKeys.KEY, transport.withoutEffect())
                    .log("socket options without effect here");
        }
        return new EventLoops(transport, count, heldThreshold);
    }

    /// The kind in use, never [IoKind#AUTO].
    public IoKind kind() {
        return transport.kind();
    }

    public int count() {
        return loops.size();
    }

    public EventLoop loop(int index) {
        return loops.get(index);
    }

    /// @return -1 for a loop of somebody else
    public int indexOf(EventLoop loop) {
        return loops.indexOf(loop);
    }

    /// How long each loop keeps its sockets waiting, in the loops' order. [LoopLag#longest] begins anew with each
    /// call, so there should be one reader.
    public List<LoopLag> lags() {
        return watchdog.read();
    }

    LoopWatchdog watchdog() {
        return watchdog;
    }

    Transport transport() {
        return transport;
    }

    MultiThreadIoEventLoopGroup group() {
        return group;
    }

    /// The configuration path of the dispatcher that runs on this loop.
    public String dispatcher(int index) {
        return DISPATCHERS + index;
    }

    /// The dispatchers' configuration, for the actor system.
    public Config dispatcherConfig() {
        StringBuilder config = new StringBuilder();
        for (int i = 0; i < loops.size(); i++) {
            // Few messages per turn: an actor with a long queue must not keep the loop from its sockets.
            config.append("""
                    %s {
                      type = Dispatcher
                      executor = "%s"
                      throughput = 16
                      loop = %d
                    }
                    """.formatted(dispatcher(i), EventLoopExecutor.Configurator.class.getName(), i));
        }
        return ConfigFactory.parseString(config.toString());
    }

    /// Makes these loops known to the dispatchers of an actor system that is created with it.
    public Setup setup() {
        return new LoopsSetup(this);
    }

    static final class LoopsSetup extends Setup {
        final EventLoops loops;

        LoopsSetup(EventLoops loops) {
            this.loops = loops;
        }
    }

    /// Ends the threads. Waits a moment for what they still do.
    @Override
    public void close() {
        watchdog.close();
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
