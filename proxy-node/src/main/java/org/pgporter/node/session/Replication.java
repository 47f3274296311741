package org.pgporter.node.session;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolOptions;
import org.pgporter.config.PoolSettings;
import org.pgporter.config.ProxyConfig;
import org.pgporter.protocol.message.StartupMessage;

/// What a client wants with `replication` in its startup packet. A replication session gets a backend connection of
/// its own, a walsender, which is opened with the client's parameters and ends with the session.
enum Replication {
    /// An ordinary session.
    NONE,
    /// A walsender without a database.
    PHYSICAL,
    /// A walsender in a database, which understands SQL as well.
    LOGICAL;

    static final String PARAMETER = "replication";

    /// Empty when the value is none that PostgreSQL takes: a boolean, or `database` in exactly this spelling
    /// (`ProcessStartupPacket` in `backend_startup.c`).
    static Optional<Replication> askedForBy(StartupMessage message) {
        String value = message.parameters().get(PARAMETER);
        if (value == null) {
            return Optional.of(NONE);
        }
        if (value.equals("database")) {
            return Optional.of(LOGICAL);
        }
        return booleanOf(value).map(on -> on ? PHYSICAL : NONE);
    }

    /// PostgreSQL's `parse_bool`: a word may be shortened as long as it is clear which one it is.
    private static Optional<Boolean> booleanOf(String value) {
        String word = value.toLowerCase(Locale.ROOT);
        if (word.isEmpty()) {
            return Optional.empty();
        }
        if (word.equals("1") || "true".startsWith(word) || "yes".startsWith(word) || word.equals("on")) {
            return Optional.of(true);
        }
        boolean off = word.length() > 1 && "off".startsWith(word);
        if (word.equals("0") || "false".startsWith(word) || "no".startsWith(word) || off) {
            return Optional.of(false);
        }
        return Optional.empty();
    }

    /// The database whose pool serves a client that named `database`. A physical walsender has none, so
    /// PostgreSQL does not look at the name, and programs send `replication` or nothing: then it is the first
    /// pool of the user.
    String databaseFor(String database, String user, ProxyConfig config) {
        if (this != PHYSICAL || config.settings(database, user).isPresent()) {
            return database;
        }
        return config.pools().keySet().stream()
                .filter(candidate -> config.settings(candidate, user).isPresent())
                .findFirst()
                .orElse(database);
    }

    /// Whether it is clear which server is meant although the client has not named a pool of its own.
    boolean isClear(String database, String user, ProxyConfig config) {
        return this != PHYSICAL
                || config.settings(database, user).isPresent()
                || config.pools().entrySet().stream()
                                .filter(pool ->
                                        config.settings(pool.getKey(), user).isPresent())
                                .map(Map.Entry::getValue)
                                .map(PoolConfig::server)
                                .distinct()
                                .count()
                        <= 1;
    }

    /// The settings of the user's pool as they are for one session that keeps its backend connection. A stream is
    /// one query that has no end, so nothing limits how long a query or a transaction takes.
    static PoolSettings alone(PoolSettings settings) {
        PoolOptions options = settings.options();
        return settings.withOptions(options.withPoolMode(PoolMode.SESSION)
                .withTimeouts(
                        options.timeouts().withQueryTimeout(Duration.ZERO).withTransactionTimeout(Duration.ZERO)));
    }
}
