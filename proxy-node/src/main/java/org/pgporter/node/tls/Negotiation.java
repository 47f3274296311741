package org.pgporter.node.tls;

import io.netty.channel.ChannelHandler;
import java.util.Optional;

/// Makes what stands first in the pipeline of an accepted connection, one for each.
@FunctionalInterface
public interface Negotiation {
    /// Nothing: the first byte is the first of a startup packet.
    Negotiation NONE = _ -> Optional.empty();

    /// @param unixSocket there is no TLS on it, and nobody misses it
    Optional<ChannelHandler> handler(boolean unixSocket);
}
