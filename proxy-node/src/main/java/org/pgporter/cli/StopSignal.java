package org.pgporter.cli;

import java.util.concurrent.CompletableFuture;
import org.pgporter.node.ProxyNode;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Turns the first SIGTERM or SIGINT into a drain and the second into a stop. Heard from its creation on, so
/// that a signal during the start is not lost: the start finishes, and the node is drained right away.
final class StopSignal {
    private static final Logger LOG = LoggerFactory.getLogger(StopSignal.class);

    private final CompletableFuture<String> first = new CompletableFuture<>();
    private final CompletableFuture<String> second = new CompletableFuture<>();

    private StopSignal() {}

    /// Starts to listen; once per JVM.
    static StopSignal listen() {
        var stop = new StopSignal();
        Signals.onStop(
                name -> {
                    LOG.atInfo().addKeyValue(LogKeys.SIGNAL, name).log("stopping, sessions may finish");
                    stop.first.complete(name);
                },
                name -> {
                    LOG.atInfo().addKeyValue(LogKeys.SIGNAL, name).log("stopping at once");
                    stop.second.complete(name);
                });
        return stop;
    }

    /// Completes with the name of the first signal. A copy: nobody outside can complete ours.
    CompletableFuture<String> requested() {
        return first.copy();
    }

    /// Drains the node; at the second signal, also an earlier one, ends what is left. Returns when the node is
    /// closed.
    void end(ProxyNode node) {
        var drained = node.drain().toCompletableFuture();
        var stopped = second.thenCompose(_ -> node.stop().toCompletableFuture());
        CompletableFuture.anyOf(drained, stopped).join();
    }
}
