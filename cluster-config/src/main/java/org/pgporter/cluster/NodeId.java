package org.pgporter.cluster;

import java.util.random.RandomGenerator;
import org.pgporter.config.ClusterConfig;

/// One start of one node.
///
/// @param index `cluster.node_index`, 0 to 1023, different on each running node; ten bits in a cancel key
/// @param incarnation 0 to 2^31 - 1, drawn anew at each start: a cancel key from before a restart must not fit a
///     session after it
public record NodeId(int index, int incarnation) {
    public NodeId {
        if (index < 0 || index > ClusterConfig.MAX_NODE_INDEX) {
            throw new IllegalArgumentException(
                    "a node index is from 0 to " + ClusterConfig.MAX_NODE_INDEX + ", was " + index);
        }
        if (incarnation < 0) {
            throw new IllegalArgumentException("an incarnation is not negative, was " + incarnation);
        }
    }

    /// The identity of a node that starts now.
    public static NodeId startingNow(int index, RandomGenerator random) {
        return new NodeId(index, random.nextInt() & Integer.MAX_VALUE);
    }

    /// For logs: `3@7f01c2aa`.
    @Override
    public String toString() {
        return index + "@%08x".formatted(incarnation);
    }
}
