package org.pgporter.config;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// Section `cluster`: this node among the others. The defaults are a cluster of one.
///
/// @param name name of the cluster, the same on all nodes: letters, digits, `-` and `_`, a letter or digit first
/// @param host address at which other nodes reach this one
/// @param port port for other nodes; 0 takes any free one, which only a cluster of one or a node that joins others
///     can do
/// @param seedNodes `host:port` of the nodes that form the cluster, the same list on all nodes; empty: a cluster of
///     one
/// @param nodeIndex 0 to 1023, different on each node: it stands in the cancel keys that clients get
public record ClusterConfig(String name, String host, int port, List<String> seedNodes, int nodeIndex) {
    /// Cancel keys of protocol 3.0 have ten bits for it.
    public static final int MAX_NODE_INDEX = 1023;

    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}");
    private static final Pattern SEED_NODE = Pattern.compile("(?:[^:\\s/@]+|\\[[0-9a-fA-F:.]+]):(\\d{1,5})");

    private static final ClusterConfig DEFAULTS = new ClusterConfig("pgporter", "127.0.0.1", 0, List.of(), 0);

    public ClusterConfig {
        seedNodes = List.copyOf(seedNodes);
        Checks checks = new Checks()
                .require(
                        NAME.matcher(name).matches(),
                        "name",
                        "must be 1 to 63 letters, digits, `-` or `_`, a letter or digit first")
                .notBlank("host", host)
                .between("port", 0, 65_535, port)
                .between("node_index", 0, MAX_NODE_INDEX, nodeIndex);
        for (int i = 0; i < seedNodes.size(); i++) {
            checks.require(
                    isHostAndPort(seedNodes.get(i)),
                    "seed_nodes[" + i + "]",
                    "must be `host:port`",
                    "",
                    Set.of("seed_nodes"));
        }
        checks.throwIfAny();
    }

    private static boolean isHostAndPort(String seedNode) {
        var matcher = SEED_NODE.matcher(seedNode);
        if (!matcher.matches()) {
            return false;
        }
        int port = Integer.parseInt(matcher.group(1));
        return port >= 1 && port <= 65_535;
    }

    public static ClusterConfig defaults() {
        return DEFAULTS;
    }

    public ClusterConfig withName(String changed) {
        return Records.with(this, "name", changed);
    }

    public ClusterConfig withHost(String changed) {
        return Records.with(this, "host", changed);
    }

    public ClusterConfig withPort(int changed) {
        return Records.with(this, "port", changed);
    }

    public ClusterConfig withSeedNodes(List<String> changed) {
        return Records.with(this, "seedNodes", changed);
    }

    public ClusterConfig withNodeIndex(int changed) {
        return Records.with(this, "nodeIndex", changed);
    }
}
