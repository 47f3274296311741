package org.pgporter.node.login;

import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.hba.HbaRule;

/// One method, or a family of them.
@FunctionalInterface
public interface LoginMethod {
    /// Never blocks. The stage completes normally in all cases.
    ///
    /// @param rule that demands the method, with its options; empty where the stored credential alone decides
    CompletionStage<LoginDecision> begin(LoginRequest request, Optional<HbaRule> rule);
}
