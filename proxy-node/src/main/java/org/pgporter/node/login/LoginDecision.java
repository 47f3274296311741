package org.pgporter.node.login;

import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.protocol.message.ErrorResponse;

/// How a login goes on.
public sealed interface LoginDecision {
    /// The client is asked.
    record Ask(AuthenticationExchange exchange) implements LoginDecision {}

    /// Nothing has to be asked, because everything is known.
    ///
    /// @param step neither a challenge nor a wait
    record Known(AuthenticationStep step) implements LoginDecision {}

    /// Nobody comes in this way.
    ///
    /// @param reasonForLog why, for the operator only
    record Refused(ErrorResponse error, String reasonForLog) implements LoginDecision {}
}
