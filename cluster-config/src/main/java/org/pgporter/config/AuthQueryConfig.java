package org.pgporter.config;

import java.util.Optional;
import java.util.Set;
import org.pgporter.auth.Secret;

/// Section `pools.<db>.auth_query`: users that do not stand in the configuration are looked up in PostgreSQL.
///
/// @param user role that looks users up
/// @param password its plain password, or its `md5…` hash for a server that asks for MD5; absent: the
///     server trusts it
/// @param query finds the user `$1`; absent: [#DEFAULT_QUERY]
/// @param database where the query runs; absent: the pool's `server_database`
/// @param serverUser role of all backend connections of such users (dedicated mode); absent: each user's
///     connections log in as that user, with what it proved itself with (passthrough mode)
/// @param serverPassword plain password of `serverUser`, or its `md5…` hash
/// @param options how often, how many, how long
public record AuthQueryConfig(
        String user,
        Optional<Secret> password,
        Optional<String> query,
        Optional<String> database,
        Optional<String> serverUser,
        Optional<Secret> serverPassword,
        @Flat AuthQueryOptions options) {
    /// Needs a role that may read `pg_authid`. Who may not log in, or whose password is no longer valid, is
    /// not found. Nothing in it depends on `search_path`.
    public static final String DEFAULT_QUERY = """
            SELECT rolpassword AS passwd, rolvaliduntil AS valuntil
            FROM pg_catalog.pg_authid
            WHERE rolname OPERATOR(pg_catalog.=) $1 AND rolcanlogin
            AND (rolvaliduntil IS NULL OR rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now())""";

    public AuthQueryConfig {
        new Checks()
                .notBlank("user", user)
                .notBlank("query", query)
                .notBlank("database", database)
                .notBlank("server_user", serverUser)
                .require(
                        query.isEmpty() || query.get().contains("$1"),
                        "query",
                        "has no $1, which stands for the name of the user who logs in",
                        "for example SELECT passwd FROM pg_porter_lookup($1)",
                        Set.of("query"))
                .require(
                        serverPassword.isEmpty() || serverUser.isPresent(),
                        "server_password",
                        "is there without server_user, whose password it is",
                        "add server_user, or remove it",
                        Set.of("server_password", "server_user"))
                .throwIfAny();
    }

    /// With the default query and nothing else.
    public static AuthQueryConfig of(String user) {
        return new AuthQueryConfig(
                user,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                AuthQueryOptions.defaults());
    }

    /// Whether what a lookup says of a user's connections can go into their startup packet: nothing that
    /// names the user, the database or a role.
    public static boolean allowsStartupParameter(String name, String value) {
        return StartupParameters.allows(name, value);
    }

    /// All users share the connections of one role.
    public boolean dedicated() {
        return serverUser.isPresent();
    }

    /// What finds a user.
    public String effectiveQuery() {
        return query.orElse(DEFAULT_QUERY);
    }

    public AuthQueryConfig withPassword(Secret changed) {
        return Records.with(this, "password", Optional.of(changed));
    }

    public AuthQueryConfig withQuery(String changed) {
        return Records.with(this, "query", Optional.of(changed));
    }

    public AuthQueryConfig withDatabase(String changed) {
        return Records.with(this, "database", Optional.of(changed));
    }

    public AuthQueryConfig withServerLogin(String role, Secret password) {
        return new AuthQueryConfig(
                user, this.password, query, database, Optional.of(role), Optional.of(password), options);
    }

    public AuthQueryConfig withOptions(AuthQueryOptions changed) {
        return Records.with(this, "options", changed);
    }
}
