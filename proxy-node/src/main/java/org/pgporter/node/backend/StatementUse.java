package org.pgporter.node.backend;

/// What a Parse, Bind, Describe or Close of a client means by its statement name.
///
/// @param statement the statement behind the name
/// @param clientName the name as the client wrote it, each byte as one character (ISO 8859-1); empty for the
///     unnamed statement
/// @param duplicate for a Parse: the name is taken, so the server is made to refuse it (42P05)
public record StatementUse(PreparedStatement statement, String clientName, boolean duplicate) {}
