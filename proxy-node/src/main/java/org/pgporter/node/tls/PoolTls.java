package org.pgporter.node.tls;

import io.netty.channel.Channel;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.protocol.message.SqlState;

/// TLS of the backend connections of one pool. For many threads.
public final class PoolTls {
    /// What servers say when they want TLS: PostgreSQL by its `pg_hba.conf`, and poolers in between.
    private static final Set<SqlState> REFUSALS =
            Set.of(SqlState.INVALID_AUTHORIZATION_SPECIFICATION, SqlState.PROTOCOL_VIOLATION);

    private static final PoolTls NONE = new PoolTls(Optional.empty(), new TlsCounters());

    private final Optional<ServerTls> server;
    private final TlsCounters counters;

    PoolTls(Optional<ServerTls> server, TlsCounters counters) {
        this.server = server;
        this.counters = counters;
    }

    /// Without TLS.
    public static PoolTls none() {
        return NONE;
    }

    /// How a connection begins that is to serve sessions.
    public Securing first() {
        return server.map(it -> switch (it.mode()) {
                    case DISABLE -> Securing.NONE;
                    case ALLOW -> it.plainRefused() ? negotiated(it, false) : Securing.NONE;
                    case PREFER -> negotiated(it, false);
                    case REQUIRE, VERIFY_CA, VERIFY_FULL -> negotiated(it, true);
                })
                .orElse(Securing.NONE);
    }

    /// How a connection begins that must be as another one is.
    public Securing like(boolean encrypted) {
        return encrypted && server.isPresent() ? negotiated(server.get(), true) : Securing.NONE;
    }

    /// With mode allow: whether the server may take with TLS what it has refused without.
    ///
    /// @param encrypted how the refused connection was
    public boolean maySucceedEncrypted(boolean encrypted, SqlState refusal) {
        return !encrypted
                && server.filter(it -> it.mode() == ServerTlsMode.ALLOW).isPresent()
                && REFUSALS.contains(refusal);
    }

    /// It has: the next connections begin with TLS.
    public void succeededEncrypted() {
        server.filter(it -> it.mode() == ServerTlsMode.ALLOW).ifPresent(it -> it.plainRefused(true));
    }

    /// What has been counted for this pool.
    public TlsCounters counters() {
        return counters;
    }

    private Securing negotiated(ServerTls tls, boolean required) {
        return (channel, limit) -> {
            CompletableFuture<Channel> secured = new CompletableFuture<>();
            ServerNegotiation negotiation = new ServerNegotiation(tls, counters, required, limit, secured);
            if (tls.files().ready()) {
                channel.pipeline().addFirst(negotiation);
                return secured;
            }
            // The first context of all loads the library, which may take longer than a loop should stand still.
            tls.work().execute(() -> {
                try {
                    tls.files().context();
                    channel.eventLoop().execute(() -> channel.pipeline().addFirst(negotiation));
                } catch (TlsProblem problem) {
                    secured.completeExceptionally(problem);
                }
            });
            return secured;
        };
    }
}
