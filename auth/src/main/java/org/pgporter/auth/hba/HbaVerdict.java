package org.pgporter.auth.hba;

/// What the rules say about a connection attempt.
public sealed interface HbaVerdict {
    /// The first rule that fits; it may be one that rejects.
    record Matched(HbaRule rule) implements HbaVerdict {}

    /// No rule fits: nobody comes in.
    record NoEntry() implements HbaVerdict {}

    /// A rule asks for something that cannot be told now, such as who is a member of a role. Nobody comes in, and it
    /// is not held against the client.
    ///
    /// @param cause for the operator
    record Undecided(String cause) implements HbaVerdict {}
}
