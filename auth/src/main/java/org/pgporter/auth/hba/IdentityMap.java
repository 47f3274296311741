package org.pgporter.auth.hba;

import java.util.Optional;
import java.util.concurrent.CompletionStage;

/// Whether somebody whom a method knows under a name of its own (a certificate's, a token's, the operating
/// system's) may come in as a user of the database: the maps of `pg_ident.conf`.
@FunctionalInterface
public interface IdentityMap {
    /// Never blocks; the stage completes normally in all cases.
    ///
    /// @param mapName the option `map` of the rule; empty: both names must be the same
    /// @param systemUser the name that the method knows
    /// @param database that the client asked for, whose server knows who is a member of which role
    /// @param databaseUser the user that the client asked for
    CompletionStage<IdentityVerdict> matches(
            Optional<String> mapName, String systemUser, String database, String databaseUser);
}
