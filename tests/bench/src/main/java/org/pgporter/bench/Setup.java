package org.pgporter.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// What poolers are configured for. All works of one setup meet the same processes; before the next setup they are
/// stopped and others are started.
enum Setup {
    PLAIN(false, false, Pool.USUAL),
    /// TLS between client and pooler.
    TLS(true, false, Pool.USUAL),
    /// TLS also between pooler and PostgreSQL.
    TLS_BOTH(true, true, Pool.USUAL),
    /// Logins with MD5: a setup of its own because some poolers know one way to log in for all users only.
    MD5(false, false, List.of(new Pool("login", Role.MD5, 40))),
    /// 1,000 pools of four connections.
    POOLS(false, false, Pool.many());

    private final boolean clientTls;
    private final boolean serverTls;
    private final List<Pool> pools;

    Setup(boolean clientTls, boolean serverTls, List<Pool> pools) {
        this.clientTls = clientTls;
        this.serverTls = serverTls;
        this.pools = pools;
    }

    boolean clientTls() {
        return clientTls;
    }

    boolean serverTls() {
        return serverTls;
    }

    List<Pool> pools() {
        return pools;
    }

    /// How long backend connections stay unused: with many pools briefly, so that what only was touched holds no
    /// server process.
    Duration idleTimeout() {
        return this == POOLS ? Duration.ofSeconds(5) : Duration.ofMinutes(10);
    }

    String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// A database of the poolers; all lead to the same one of PostgreSQL.
    ///
    /// @param size backend connections at most
    record Pool(String database, Role role, int size) {
        static final Pool FORTY = new Pool("bench40", Role.CROWD, 40);
        static final Pool TEN = new Pool("bench10", Role.CROWD, 10);
        static final Pool LOGIN = new Pool("login", Role.SCRAM, 40);

        private static final List<Pool> USUAL = List.of(FORTY, TEN, LOGIN);
        private static final int NUMBER = 1000;

        private static List<Pool> many() {
            return IntStream.range(0, NUMBER)
                    .mapToObj(number -> new Pool(String.format(Locale.ROOT, "pool%03d", number), Role.CROWD, 4))
                    .toList();
        }
    }

    /// The pool of that name.
    Optional<Pool> pool(String database) {
        return pools.stream().filter(it -> it.database().equals(database)).findFirst();
    }
}
