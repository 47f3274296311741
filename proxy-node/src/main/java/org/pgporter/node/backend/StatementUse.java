package org.pgporter.node.backend;

import java.util.List;
import org.pgporter.node.sql.StatementEffects.Deallocation;

/// What a message of a client means for its prepared statements.
public sealed interface StatementUse {
    /// A Parse, Bind, Describe or Close of a statement.
    ///
    /// @param statement the statement behind the name
    /// @param clientName the name as the client wrote it, each byte as one character (ISO 8859-1); empty for the
    ///     unnamed statement
    /// @param duplicate for a Parse: the name is taken, so the server is made to refuse it (42P05)
    record Named(PreparedStatement statement, String clientName, boolean duplicate) implements StatementUse {
        /// For a Bind: executing the statement takes names of the client away.
        public boolean forgetsNamed() {
            return !statement.forgets().isEmpty() || statement.effects().forgetsAllStatements();
        }
    }

    /// A Bind, Describe or Close of a name that its client has given to no statement, where the backend may well have
    /// one of that name: another client's.
    ///
    /// @param clientName as in [Named]
    record Unknown(String clientName) implements StatementUse {}

    /// A Query.
    ///
    /// @param forgetsUnnamed the client has an unnamed statement, which any Query destroys
    /// @param forgetsAll the text has DEALLOCATE ALL or DISCARD ALL
    /// @param forgets each DEALLOCATE of a statement that the client has prepared by the protocol
    record Text(boolean forgetsUnnamed, boolean forgetsAll, List<Deallocation> forgets) implements StatementUse {
        /// Whether there is a change of names that happens only if the Query succeeds.
        public boolean forgetsNamed() {
            return forgetsAll || !forgets.isEmpty();
        }
    }
}
