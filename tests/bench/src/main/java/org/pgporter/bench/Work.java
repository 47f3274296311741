package org.pgporter.bench;

import java.util.List;
import java.util.Locale;

/// One line of work that every contender does, or says why it cannot. What there is stands in [Catalogue].
sealed interface Work {
    /// What options and files call it.
    String key();

    /// What the tables call it.
    String title();

    /// What the poolers have to be configured for.
    Setup setup();

    /// pgbench's option `-M`.
    enum Protocol {
        SIMPLE,
        EXTENDED,
        PREPARED;

        String option() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// What one transaction is.
    enum Script {
        /// One select by primary key: `pgbench -S`.
        SELECT("select"),
        /// Five statements and a COMMIT that write: `pgbench -b tpcb-like`. With scale 10, clients wait for one another
        /// at ten rows of `pgbench_branches`.
        TPCB("TPC-B-like"),
        /// 100 selects in one pipeline: written together, one Sync at the end.
        PIPELINE("pipelined batch of 100");

        private final String title;

        Script(String title) {
            this.title = title;
        }
    }

    /// Transactions as fast as they are answered, by pgbench.
    ///
    /// @param pool to whose database the clients connect; with [Setup#POOLS] they spread over ten of them
    /// @param reconnect whether each transaction logs in first and disconnects afterwards
    record Load(
            String key, Setup setup, Script script, Protocol protocol, int clients, Setup.Pool pool, boolean reconnect)
            implements Work {
        private static final int HOT_POOLS = 10;

        @Override
        public String title() {
            var words = new StringBuilder();
            if (reconnect) {
                words.append("login each time with ").append(pool.role() == Role.MD5 ? "MD5" : "SCRAM");
            } else {
                words.append(script.title).append(", ").append(protocol.option());
            }
            words.append(clients == 1 ? ", 1 client" : ", " + clients + " clients");
            switch (setup) {
                case PLAIN, MD5 -> {}
                case TLS -> words.append(", TLS");
                case TLS_BOTH -> words.append(", TLS on both legs");
                case POOLS -> words.append(", 10 of 1,000 pools");
            }
            if (pool.size() != Setup.Pool.FORTY.size() && setup != Setup.POOLS) {
                words.append(", ").append(pool.size()).append(" backends");
            }
            return words.toString();
        }

        /// The databases that clients connect to, a pgbench for each.
        List<String> databases() {
            return setup == Setup.POOLS
                    ? setup.pools().stream()
                            .limit(HOT_POOLS)
                            .map(Setup.Pool::database)
                            .toList()
                    : List.of(pool.database());
        }
    }

    /// Many bytes through one connection, by psql.
    record Bulk(String key, Setup setup, Kind kind) implements Work {
        enum Kind {
            COPY_OUT("COPY … TO STDOUT"),
            COPY_IN("COPY … FROM STDIN"),
            /// One value of 100 MB in a row, again and again.
            LARGE_ROW("rows of 100 MB");

            private final String title;

            Kind(String title) {
                this.title = title;
            }
        }

        @Override
        public String title() {
            return kind.title + (setup.clientTls() ? ", TLS" : "");
        }
    }

    /// Clients that have logged in, asked one question, and now are silent.
    record Idle(String key, Setup setup) implements Work {
        @Override
        public String title() {
            return setup.clientTls() ? "idle clients, TLS" : "idle clients";
        }
    }

    /// From the start of a pooler to its first answer.
    record Start(String key) implements Work {
        @Override
        public String title() {
            return "start to first query answered";
        }

        @Override
        public Setup setup() {
            return Setup.PLAIN;
        }
    }

    /// What a JVM allocates for each transaction of the load.
    record Allocation(String key, Load load) implements Work {
        @Override
        public String title() {
            return "allocation: " + load.title();
        }

        @Override
        public Setup setup() {
            return load.setup();
        }
    }
}
