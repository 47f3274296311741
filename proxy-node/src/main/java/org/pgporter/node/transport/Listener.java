package org.pgporter.node.transport;

import io.netty.channel.Channel;
import java.net.SocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/// An address that the node accepts connections on; one socket, or one for each loop.
public final class Listener {
    private final List<Channel> channels;
    private final SocketAddress address;
    private final Optional<SocketFile> socketFile;

    Listener(List<Channel> channels, SocketAddress address, Optional<SocketFile> socketFile) {
        this.channels = List.copyOf(channels);
        this.address = address;
        this.socketFile = socketFile;
    }

    /// The address in use: with the port that was chosen where 0 was asked for.
    public SocketAddress address() {
        return address;
    }

    /// Accepts no more. A Unix socket's file goes with it, unless it is another's by now.
    public CompletionStage<Void> close() {
        CompletableFuture<?>[] closed = channels.stream()
                .map(channel -> {
                    CompletableFuture<Void> done = new CompletableFuture<>();
                    // NIO gives a closed socket back at its selector's next turn, and until then the operating
                    // system queues connections to it: a timer ends after that turn.
                    channel.close()
                            .addListener(_ ->
                                    channel.eventLoop().schedule(() -> done.complete(null), 1, TimeUnit.MILLISECONDS));
                    return done;
                })
                .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(closed).whenComplete((_, _) -> socketFile.ifPresent(SocketFile::removeIfOurs));
    }
}
