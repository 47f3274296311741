package org.pgporter.auth;

import java.util.concurrent.CompletionStage;

/// Decides about a password, or a token, that a client has sent in clear text. What it asks may be far away: the
/// answer comes when it comes, and not on an event loop's time.
@FunctionalInterface
public interface PasswordCheck {
    /// @param password never empty: an empty one is refused before anybody is asked
    /// @return any step but a challenge; the stage completes normally in all cases
    CompletionStage<AuthenticationStep> check(Secret password);
}
