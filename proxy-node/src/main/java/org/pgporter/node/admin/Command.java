package org.pgporter.node.admin;

import java.util.Optional;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.protocol.message.ErrorResponse;

/// What can be asked of the console.
sealed interface Command {
    /// A statement without a word, such as a comment.
    record Empty() implements Command {}

    record ShowTable(Show what) implements Command {}

    /// A parameter of PostgreSQL that drivers ask for.
    record ShowParameter(String name) implements Command {}

    /// One value.
    record Select(Column column, String value) implements Command {}

    /// BEGIN and what ends it: drivers say it, and here it means nothing.
    ///
    /// @param open whether a transaction is open afterwards
    record Transaction(String tag, boolean open) implements Command {}

    /// Something that drivers say and that has nothing to act upon here.
    record Ignored(String tag) implements Command {}

    record Set(String key, String value) implements Command {}

    /// @param kind what is to happen to the pools of the database
    /// @param database empty: of all
    record OfPools(PoolRegistry.Kind kind, Optional<String> database) implements Command {}

    /// @param database empty: all
    record Kill(Optional<String> database) implements Command {}

    /// @param client as in column `id` or `ptr` of SHOW CLIENTS
    record KillClient(String client) implements Command {}

    record Shutdown(Operations.Shutdown how) implements Command {}

    record Reload() implements Command {}

    record InvalidateAuth(Optional<String> database, Optional<String> user) implements Command {}

    /// Cannot be read, or is not for anybody.
    record Wrong(ErrorResponse error) implements Command {}
}
