package org.pgporter.node.transport;

import io.netty.channel.Channel;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An address that the node accepts connections on; one socket, or one for each loop.
public final class Listener {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    private final List<Channel> channels;
    private final SocketAddress address;
    private final Optional<Path> socketFile;

    Listener(List<Channel> channels, Optional<Path> socketFile) {
        this.channels = List.copyOf(channels);
        this.address = channels.getFirst().localAddress();
        this.socketFile = socketFile;
    }

    /// The address in use: with the port that was chosen where 0 was asked for.
    public SocketAddress address() {
        return address;
    }

    /// Accepts no more. A Unix socket's file goes with it.
    public CompletionStage<Void> close() {
        CompletableFuture<?>[] closed = channels.stream()
                .map(channel -> {
                    CompletableFuture<Void> done = new CompletableFuture<>();
                    channel.close().addListener(_ -> done.complete(null));
                    return done;
                })
                .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(closed).whenComplete((_, _) -> socketFile.ifPresent(Listener::remove));
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (java.io.IOException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.LISTENER, file)
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("socket file could not be removed");
        }
    }
}
