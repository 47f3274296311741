package org.pgporter.node.backend;

import com.github.benmanes.caffeine.cache.Interner;

/// The named prepared statements of one pool: gives everybody who prepares the same definition the same
/// [PreparedStatement]. Holds them weakly, so a statement that no session and no backend uses is gone.
/// Safe to use from every thread.
public final class StatementCatalog {
    private final Interner<PreparedStatement> statements = Interner.newWeakInterner();

    /// The pool's statement with this definition; see [PreparedStatement#named].
    public PreparedStatement statement(byte[] definition) {
        return statements.intern(PreparedStatement.named(definition));
    }
}
