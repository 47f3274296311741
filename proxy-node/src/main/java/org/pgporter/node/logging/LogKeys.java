package org.pgporter.node.logging;

/// The keys of log lines, listed once. Operators build filters on them, so a key keeps its name and its
/// meaning.
///
/// Values must be immutable, because a line is written by another thread than the one that logged it, and must
/// never be secret.
public final class LogKeys {
    /// Id of a client session on its node.
    public static final String SESSION = "session";

    /// Database name as the client asked for it.
    public static final String DATABASE = "database";

    /// User name as the client gave it.
    public static final String USER = "user";

    /// Pool key, as `user@database` in the names that clients use.
    public static final String POOL = "pool";

    /// Id of a lease.
    public static final String LEASE = "lease";

    /// Process id of the PostgreSQL backend, as it announced itself.
    public static final String BACKEND_PID = "backendPid";

    /// SQLSTATE of five characters.
    public static final String SQL_STATE = "sqlState";

    /// Address of the other end of a socket.
    public static final String REMOTE = "remote";

    /// Address we accept on.
    public static final String LISTENER = "listener";

    /// Host and port (or socket directory) of the PostgreSQL server.
    public static final String SERVER = "server";

    /// Why something happened, in words.
    public static final String REASON = "reason";

    /// Name of the node.
    public static final String NODE = "node";

    /// What the client called itself.
    public static final String APPLICATION = "application";

    /// Version of TLS, as `TLSv1.3`.
    public static final String TLS = "tls";

    /// The name by which a client asked for us in its TLS handshake.
    public static final String SERVER_NAME = "serverName";

    /// Authentication method.
    public static final String METHOD = "method";

    /// Name of the section about an issuer of tokens.
    public static final String ISSUER = "issuer";

    /// Protocol version, as `3.0`.
    public static final String PROTOCOL = "protocol";

    /// How long something took or lasts, in ISO 8601.
    public static final String DURATION = "duration";

    /// How many; the message says of what.
    public static final String COUNT = "count";

    /// The bound that [#COUNT] has met.
    public static final String LIMIT = "limit";

    /// Kind of input and output: io_uring, epoll, kqueue, nio.
    public static final String IO = "io";

    /// Index of an event loop, from 0.
    public static final String LOOP = "loop";

    /// How much of a time the garbage collector had the process stopped, in ISO 8601.
    public static final String COLLECTOR = "collector";

    /// Path of a file.
    public static final String FILE = "file";

    /// Key of the configuration.
    public static final String KEY = "key";

    /// State of one of our machines.
    public static final String STATE = "state";

    /// Type of a message between actors.
    public static final String COMMAND = "command";

    /// Name of an operating system signal.
    public static final String SIGNAL = "signal";

    /// Version of PgPorter, or of what the message names.
    public static final String VERSION = "version";

    /// Class and message of a throwable; written by the layouts.
    public static final String ERROR = "error";

    /// Stack trace of a throwable, as one value; written by the layouts.
    public static final String TRACE = "trace";

    /// Name of the logger, where it is not one of ours; written by the layouts.
    public static final String LOGGER = "logger";

    private LogKeys() {}
}
