package org.pgporter.node.tls;

import io.netty.channel.Channel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// What happens to a connection to PostgreSQL between the socket's connect and the first packet.
@FunctionalInterface
public interface Securing {
    /// Nothing.
    Securing NONE = (channel, _) -> CompletableFuture.completedStage(channel);

    /// To be called on the channel's loop; completes there. The caller closes the channel if it fails, with a
    /// [TlsProblem] that says why.
    ///
    /// @param limit how long it may take
    CompletionStage<Channel> secure(Channel channel, Duration limit);
}
