package org.pgporter.auth.hba;

import java.util.concurrent.CompletionStage;

/// Who is a member of which role, for `+role` and `samerole`.
@FunctionalInterface
public interface RoleMembership {
    /// What can be said about one user and one role.
    enum Membership {
        /// Directly or through other roles; every role is a member of itself.
        MEMBER,
        NOT_MEMBER,
        /// It cannot be told now, or not for this user. Whoever asks must let nobody in for it.
        UNKNOWN
    }

    /// Never blocks; the stage completes normally in all cases.
    ///
    /// @param database whose server is meant, in the names of clients
    CompletionStage<Membership> of(String database, String user, String role);
}
