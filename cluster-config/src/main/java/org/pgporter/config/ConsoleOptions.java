package org.pgporter.config;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.pgporter.auth.credential.StoredCredential;

/// Who may use the console; part of section `general`.
///
/// @param adminUsers users of any pool who may do everything there
/// @param statsUsers users of any pool who may look, and change nothing
/// @param adminUsername one more who may do everything; needs no pool
/// @param adminPassword what `adminUsername` must prove, written as a user's password
/// @param adminReservedConnections places in the console above `max_connections`, for those who may do everything
/// @param statsPeriod over which averages are taken
public record ConsoleOptions(
        @CommaSeparated List<String> adminUsers,
        @CommaSeparated List<String> statsUsers,
        Optional<String> adminUsername,
        Optional<StoredCredential> adminPassword,
        int adminReservedConnections,
        Duration statsPeriod) {
    /// The databases that no PostgreSQL has: under each of these names is the console.
    public static final Set<String> DATABASES = Set.of("pgporter", "pgbouncer", "pgdoorman");

    private static final ConsoleOptions DEFAULTS =
            new ConsoleOptions(List.of(), List.of(), Optional.empty(), Optional.empty(), 3, Duration.ofSeconds(60));

    public ConsoleOptions {
        adminUsers = List.copyOf(adminUsers);
        statsUsers = List.copyOf(statsUsers);
        Checks checks = new Checks()
                .notBlank("admin_username", adminUsername)
                .atLeast("admin_reserved_connections", 0, adminReservedConnections)
                .positive("stats_period", statsPeriod)
                .require(
                        adminUsername.isPresent() == adminPassword.isPresent(),
                        adminUsername.isPresent() ? "admin_password" : "admin_username",
                        "is missing",
                        "admin_username and admin_password need each other",
                        Set.of("admin_username", "admin_password"));
        names(checks, "admin_users", adminUsers);
        names(checks, "stats_users", statsUsers);
        checks.throwIfAny();
    }

    private static void names(Checks checks, String key, List<String> names) {
        checks.require(names.stream().noneMatch(String::isBlank), key, "must be user names, and one of them is empty")
                .require(new HashSet<>(names).size() == names.size(), key, "has a user twice");
    }

    public static ConsoleOptions defaults() {
        return DEFAULTS;
    }

    /// Whether this database is the console.
    public static boolean isConsole(String database) {
        return DATABASES.contains(database);
    }

    /// Whether this user may do everything in the console.
    public boolean isAdmin(String user) {
        return adminUsers.contains(user) || adminUsername.equals(Optional.of(user));
    }

    /// Whether this user may look.
    public boolean isStats(String user) {
        return isAdmin(user) || statsUsers.contains(user);
    }

    /// What this user must prove in the console, if it is the one who needs no pool.
    public Optional<StoredCredential> passwordOf(String user) {
        return adminUsername.equals(Optional.of(user)) ? adminPassword : Optional.empty();
    }

    /// All who may come in by some name of their own.
    public Stream<String> everybody() {
        return Stream.of(adminUsers.stream(), statsUsers.stream(), adminUsername.stream())
                .flatMap(names -> names)
                .distinct();
    }

    public ConsoleOptions withAdminUsers(List<String> changed) {
        return Records.with(this, "adminUsers", changed);
    }

    public ConsoleOptions withStatsUsers(List<String> changed) {
        return Records.with(this, "statsUsers", changed);
    }

    /// The two need each other.
    public ConsoleOptions withAdmin(String name, StoredCredential password) {
        return new ConsoleOptions(
                adminUsers,
                statsUsers,
                Optional.of(name),
                Optional.of(password),
                adminReservedConnections,
                statsPeriod);
    }

    public ConsoleOptions withStatsPeriod(Duration changed) {
        return Records.with(this, "statsPeriod", changed);
    }

    public ConsoleOptions withAdminReservedConnections(int changed) {
        return Records.with(this, "adminReservedConnections", changed);
    }
}
