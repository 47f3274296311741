package org.pgporter.node.transport;

import com.typesafe.config.Config;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.AbstractEventExecutor;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;

/// An event loop as the executor of a Pekko dispatcher. A dispatcher shuts its executor down when it has
/// nothing to do; the loop goes on.
final class EventLoopExecutor extends AbstractExecutorService {
    private final EventLoop loop;
    private volatile boolean shutdown;

    EventLoopExecutor(EventLoop loop) {
        this.loop = loop;
    }

    @Override
    public void execute(Runnable task) {
        if (loop instanceof AbstractEventExecutor here && here.inEventLoop()) {
            here.lazyExecute(task); // it looks for tasks before it waits: nobody has to be woken
        } else {
            loop.execute(task);
        }
    }

    @Override
    public void shutdown() {
        shutdown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return shutdown;
    }

    /// Named in the dispatchers' configuration; Pekko makes one for each dispatcher.
    public static final class Configurator extends ExecutorServiceConfigurator {
        private final EventLoop loop;

        public Configurator(Config config, DispatcherPrerequisites prerequisites) {
            super(config, prerequisites);
            EventLoops loops = prerequisites
                    .settings()
                    .setup()
                    .get(EventLoops.LoopsSetup.class)
                    .orElseThrow(() -> new IllegalStateException("the actor system was created without event loops"))
                    .loops;
            this.loop = loops.loop(config.getInt("loop"));
        }

        @Override
        public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threadFactory) {
            return new ExecutorServiceFactory() {
                @Override
                public ExecutorService createExecutorService() {
                    return new EventLoopExecutor(loop);
                }
            };
        }
    }
}
