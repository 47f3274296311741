package org.pgporter.config;

import java.time.Duration;
import java.util.Optional;

/// Section `general`: one node, and the defaults of all pools. The groups are for readers of the code; in
/// the file their keys stand directly in the section.
///
/// @param listener where clients connect to
/// @param eventLoops how many event loops, and of which kind
/// @param limits what clients may take
/// @param loginLimits what keeps those out who try passwords
/// @param sockets TCP options of both legs
/// @param access who may come in
/// @param methods what methods of authentication may take
/// @param secrets where `${secret:NAME}` leads
/// @param databaseLimits the defaults of all databases
/// @param tls what holds for TLS on both legs
/// @param clientTls TLS towards clients
/// @param serverTls TLS towards PostgreSQL, the defaults of all databases
/// @param pools the defaults of all pools
/// @param console who may use the console
/// @param log what is logged and how
/// @param jwt one issuer of tokens, and what holds for all
/// @param talos as section `talos` at the top
/// @param shutdownTimeout how long open transactions may finish when the node stops; 0: they are ended at
///     once
public record GeneralConfig(
        @Flat ListenerConfig listener,
        @Flat EventLoopConfig eventLoops,
        @Flat ClientLimits limits,
        @Flat LoginLimits loginLimits,
        @Flat SocketOptions sockets,
        @Flat TlsOptions tls,
        @Flat ClientTlsOptions clientTls,
        @Flat ServerTlsOptions serverTls,
        @Flat AccessOptions access,
        @Flat MethodOptions methods,
        @Flat SecretsOptions secrets,
        @Flat DatabaseLimits databaseLimits,
        @Flat PoolOptions pools,
        @Flat ConsoleOptions console,
        @Flat LogConfig log,
        @Flat JwtOptions jwt,
        Optional<TalosConfig> talos,
        Duration shutdownTimeout) {
    private static final GeneralConfig DEFAULTS = new GeneralConfig(
            ListenerConfig.defaults(),
            EventLoopConfig.defaults(),
            ClientLimits.defaults(),
            LoginLimits.defaults(),
            SocketOptions.defaults(),
            TlsOptions.defaults(),
            ClientTlsOptions.defaults(),
            ServerTlsOptions.defaults(),
            AccessOptions.defaults(),
            MethodOptions.defaults(),
            SecretsOptions.defaults(),
            DatabaseLimits.defaults(),
            PoolOptions.defaults(),
            ConsoleOptions.defaults(),
            LogConfig.defaults(),
            JwtOptions.defaults(),
            Optional.empty(),
            Duration.ofSeconds(10));

    public GeneralConfig {
        new Checks().notNegative("shutdown_timeout", shutdownTimeout).throwIfAny();
    }

    public static GeneralConfig defaults() {
        return DEFAULTS;
    }

    /// The accept queue's length to ask the operating system for, with 0 resolved.
    public int backlog() {
        return listener.backlog() == 0 ? limits.maxConnections() : listener.backlog();
    }

    /// Shorthand for the listener's host.
    public GeneralConfig withHost(String changed) {
        return withListener(listener.withHost(changed));
    }

    /// Shorthand for the listener's port.
    public GeneralConfig withPort(int changed) {
        return withListener(listener.withPort(changed));
    }

    public GeneralConfig withListener(ListenerConfig changed) {
        return Records.with(this, "listener", changed);
    }

    public GeneralConfig withEventLoops(EventLoopConfig changed) {
        return Records.with(this, "eventLoops", changed);
    }

    public GeneralConfig withLimits(ClientLimits changed) {
        return Records.with(this, "limits", changed);
    }

    public GeneralConfig withLoginLimits(LoginLimits changed) {
        return Records.with(this, "loginLimits", changed);
    }

    public GeneralConfig withSockets(SocketOptions changed) {
        return Records.with(this, "sockets", changed);
    }

    public GeneralConfig withTls(TlsOptions changed) {
        return Records.with(this, "tls", changed);
    }

    public GeneralConfig withClientTls(ClientTlsOptions changed) {
        return Records.with(this, "clientTls", changed);
    }

    public GeneralConfig withServerTls(ServerTlsOptions changed) {
        return Records.with(this, "serverTls", changed);
    }

    public GeneralConfig withAccess(AccessOptions changed) {
        return Records.with(this, "access", changed);
    }

    public GeneralConfig withMethods(MethodOptions changed) {
        return Records.with(this, "methods", changed);
    }

    public GeneralConfig withSecrets(SecretsOptions changed) {
        return Records.with(this, "secrets", changed);
    }

    public GeneralConfig withDatabaseLimits(DatabaseLimits changed) {
        return Records.with(this, "databaseLimits", changed);
    }

    public GeneralConfig withPools(PoolOptions changed) {
        return Records.with(this, "pools", changed);
    }

    public GeneralConfig withConsole(ConsoleOptions changed) {
        return Records.with(this, "console", changed);
    }

    public GeneralConfig withLog(LogConfig changed) {
        return Records.with(this, "log", changed);
    }

    public GeneralConfig withJwt(JwtOptions changed) {
        return Records.with(this, "jwt", changed);
    }

    public GeneralConfig withTalos(TalosConfig changed) {
        return Records.with(this, "talos", Optional.of(changed));
    }

    public GeneralConfig withShutdownTimeout(Duration changed) {
        return Records.with(this, "shutdownTimeout", changed);
    }
}
