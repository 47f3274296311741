package org.pgporter.node.transport;

/// A message between actors that owns buffers. When it cannot be delivered, its bytes are given back by whoever
/// finds it among the dead letters.
public interface HoldsBytes {
    void releaseBytes();
}
