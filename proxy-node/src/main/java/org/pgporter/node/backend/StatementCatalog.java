package org.pgporter.node.backend;

import com.github.benmanes.caffeine.cache.Interner;
import java.util.concurrent.atomic.AtomicInteger;

/// The named prepared statements of one pool: gives everybody who prepares the same definition in the same
/// [PlanContext] the same [PreparedStatement]. Holds them weakly, so a statement that no session and no backend uses is
/// gone.
/// Safe to use from every thread.
public final class StatementCatalog {
    private final Interner<PreparedStatement> statements = Interner.newWeakInterner();
    private final AtomicInteger generation = new AtomicInteger();
    private volatile boolean sequencesAreAsked;

    /// The pool's statement with this definition; see [PreparedStatement#named].
    public PreparedStatement statement(byte[] definition, PlanContext context) {
        return statements.intern(PreparedStatement.named(definition, context, generation.get()));
    }

    /// A session of the pool has changed a table, a view or a function. Who has a statement keeps it, as with
    /// PostgreSQL; who prepares one from now on shares it only with others who do so later.
    public void schemaChanged() {
        generation.incrementAndGet();
    }

    /// The pool's statement for what an outdated one was prepared for.
    public PreparedStatement renewed(PreparedStatement outdated) {
        return outdated.renewed(this);
    }

    /// From now on each session's `currval()` is taken care of.
    public void noteThatSequencesAreAsked() {
        if (!sequencesAreAsked) {
            sequencesAreAsked = true;
        }
    }

    /// Whether a statement of this pool has called `currval()` or `lastval()`.
    public boolean sequencesAreAsked() {
        return sequencesAreAsked;
    }
}
