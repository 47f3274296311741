package org.pgporter.config;

import java.time.Duration;

/// What keeps those out who try passwords, or want to exhaust the node with logins; part of section
/// `general`.
///
/// @param maxUnauthenticatedConnections connections that have not logged in yet at one time; more are
///     closed without a word. 0: as many as `max_connections`
/// @param loginRatePerAddress logins from one address in one second at most, successful or not; 0: no limit
/// @param loginRatePerUser logins of one user in one second at most, successful or not; 0: no limit
/// @param loginFailuresPerAddress failed logins from one address before it has to wait; 0: no limit
/// @param loginFailuresPerUser failed logins of one user before it has to wait; 0: no limit
/// @param loginBackoff how long it has to wait then; each further failure doubles it
/// @param loginBackoffMax how long it has to wait at most. In this time without a failure half of them are
///     forgotten
/// @param loginFailureDelay how long the answer to a wrong password takes at least, so that nobody hears
///     from it what was wrong; 0: as long as it takes
public record LoginLimits(
        int maxUnauthenticatedConnections,
        int loginRatePerAddress,
        int loginRatePerUser,
        int loginFailuresPerAddress,
        int loginFailuresPerUser,
        Duration loginBackoff,
        Duration loginBackoffMax,
        Duration loginFailureDelay) {
    private static final LoginLimits DEFAULTS =
            new LoginLimits(0, 0, 0, 100, 100, Duration.ofSeconds(1), Duration.ofMinutes(2), Duration.ofMillis(100));

    public LoginLimits {
        new Checks()
                .atLeast("max_unauthenticated_connections", 0, maxUnauthenticatedConnections)
                .atLeast("login_rate_per_address", 0, loginRatePerAddress)
                .atLeast("login_rate_per_user", 0, loginRatePerUser)
                .atLeast("login_failures_per_address", 0, loginFailuresPerAddress)
                .atLeast("login_failures_per_user", 0, loginFailuresPerUser)
                .positive("login_backoff", loginBackoff)
                .positive("login_backoff_max", loginBackoffMax)
                .require(
                        loginBackoffMax.compareTo(loginBackoff) >= 0,
                        "login_backoff_max",
                        "is shorter than login_backoff",
                        "raise it",
                        java.util.Set.of("login_backoff", "login_backoff_max"))
                .notNegative("login_failure_delay", loginFailureDelay)
                .throwIfAny();
    }

    public static LoginLimits defaults() {
        return DEFAULTS;
    }

    public LoginLimits withMaxUnauthenticatedConnections(int changed) {
        return Records.with(this, "maxUnauthenticatedConnections", changed);
    }

    public LoginLimits withLoginRatePerAddress(int changed) {
        return Records.with(this, "loginRatePerAddress", changed);
    }

    public LoginLimits withLoginRatePerUser(int changed) {
        return Records.with(this, "loginRatePerUser", changed);
    }

    public LoginLimits withLoginFailuresPerAddress(int changed) {
        return Records.with(this, "loginFailuresPerAddress", changed);
    }

    public LoginLimits withLoginFailuresPerUser(int changed) {
        return Records.with(this, "loginFailuresPerUser", changed);
    }

    public LoginLimits withLoginBackoff(Duration changed) {
        return Records.with(this, "loginBackoff", changed);
    }

    public LoginLimits withLoginBackoffMax(Duration changed) {
        return Records.with(this, "loginBackoffMax", changed);
    }

    public LoginLimits withLoginFailureDelay(Duration changed) {
        return Records.with(this, "loginFailureDelay", changed);
    }
}
