package org.pgporter.bench;

import java.util.List;
import java.util.Locale;

/// What the clients of one run do. Every transaction is one select by primary key (`pgbench -S`).
///
/// @param protocol how pgbench sends it
/// @param clients connections of pgbench
/// @param backends how many backend connections the pool has for them
/// @param reconnect whether each transaction logs in first and disconnects afterwards
record Workload(Protocol protocol, int clients, PoolSize backends, boolean reconnect) {
    /// pgbench's option `-M`.
    enum Protocol {
        SIMPLE,
        EXTENDED,
        PREPARED;

        String option() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Each size is a database name of its own at the poolers, so that one process of a pooler serves both.
    enum PoolSize {
        MANY(40),
        FEW(10);

        private final int connections;

        PoolSize(int connections) {
            this.connections = connections;
        }

        int connections() {
            return connections;
        }

        String database() {
            return "bench" + connections;
        }
    }

    /// What a default run measures, in this order.
    static List<Workload> all() {
        return List.of(
                of(Protocol.SIMPLE, 20, PoolSize.MANY),
                of(Protocol.EXTENDED, 20, PoolSize.MANY),
                of(Protocol.PREPARED, 20, PoolSize.MANY),
                of(Protocol.SIMPLE, 200, PoolSize.FEW),
                of(Protocol.PREPARED, 200, PoolSize.FEW),
                of(Protocol.SIMPLE, 1, PoolSize.MANY),
                of(Protocol.PREPARED, 1, PoolSize.MANY),
                new Workload(Protocol.SIMPLE, 20, PoolSize.MANY, true));
    }

    /// What a quick run measures.
    static List<Workload> few() {
        return List.of(of(Protocol.SIMPLE, 20, PoolSize.MANY), of(Protocol.PREPARED, 20, PoolSize.MANY));
    }

    private static Workload of(Protocol protocol, int clients, PoolSize backends) {
        return new Workload(protocol, clients, backends, false);
    }

    String title() {
        return "%s, %d %s, %d backends%s"
                .formatted(
                        protocol.option(),
                        clients,
                        clients == 1 ? "client" : "clients",
                        backends.connections(),
                        reconnect ? ", login each time" : "");
    }
}
