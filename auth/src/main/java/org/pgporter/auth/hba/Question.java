package org.pgporter.auth.hba;

/// What a rule may have to ask somebody else about a client.
sealed interface Question {
    /// Whether the user is a member.
    record Member(String role) implements Question {}

    /// The client's host name.
    record HostName() implements Question {}

    /// The networks of this machine.
    record Networks() implements Question {}
}
