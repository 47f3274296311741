package org.pgporter.node.ldap;

/// What a directory has said.
public sealed interface LdapOutcome {
    /// @param name of the user's entry
    record Accepted(String name) implements LdapOutcome {}

    /// @param reason for the operator; names no entry
    record Denied(String reason) implements LdapOutcome {}

    /// Nothing has been said about the user.
    ///
    /// @param cause for the operator; names no entry
    record Broken(String cause) implements LdapOutcome {}
}
