package org.pgporter.auth.hba;

import java.util.concurrent.CompletionStage;

/// Which rule decides about a connection attempt.
@FunctionalInterface
public interface HbaPolicy {
    /// Never blocks; where a rule names a host or a role the answer may come later, from another thread. The stage
    /// completes normally in all cases.
    CompletionStage<HbaVerdict> match(HbaRequest request);
}
