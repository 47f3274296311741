package org.pgporter.node.tls;

import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.PoolSettings;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.ServerAddress;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.config.ServerTlsOptions;
import org.pgporter.config.ServerTlsOverrides;
import org.pgporter.config.TlsOptions;
import org.pgporter.node.work.CpuWork;

/// All TLS of one node. Certificates are read at the start, when [#reload] asks for it, and when their
/// files have changed. For many threads.
public final class NodeTls implements AutoCloseable {
    /// How often the files are looked at, without reading them.
    private static final Duration LOOK_AT_FILES = Duration.ofSeconds(5);

    /// What pools share: where they connect to, and how.
    private record Target(TlsOptions common, ServerTlsOptions options, String host, int port) {}

    private static final String THREADS = "pgporter-tls-";

    private final CpuWork work;
    private final Optional<ClientTls> clients;
    private final TlsCounters clientCounters;
    private final Map<Target, ServerTls> servers;
    private final Map<PoolKey, PoolTls> pools = new HashMap<>();
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("pgporter-tls-files").daemon().factory());

    private NodeTls(
            CpuWork work, Optional<ClientTls> clients, TlsCounters clientCounters, Map<Target, ServerTls> servers) {
        this.work = work;
        this.clients = clients;
        this.clientCounters = clientCounters;
        this.servers = servers;
    }

    /// @throws TlsProblem when a file cannot be used; its key is the whole path, such as
    /// `general.tls_certificate`
    public static NodeTls start(ProxyConfig config) throws TlsProblem {
        return start(config, LOOK_AT_FILES);
    }

    static NodeTls start(ProxyConfig config, Duration lookAtFiles) throws TlsProblem {
        CpuWork work = CpuWork.start(THREADS);
        try {
            TlsCounters counters = new TlsCounters();
            NodeTls tls = new NodeTls(work, clients(config, work, counters), counters, servers(config, work));
            tls.watch.scheduleWithFixedDelay(
                    tls::follow, lookAtFiles.toMillis(), lookAtFiles.toMillis(), TimeUnit.MILLISECONDS);
            return tls;
        } catch (TlsProblem problem) {
            work.close();
            throw problem;
        }
    }

    private static Optional<ClientTls> clients(ProxyConfig config, CpuWork work, TlsCounters counters)
            throws TlsProblem {
        var general = config.general();
        if (!general.clientTls().offered()) {
            return Optional.empty();
        }
        try {
            return Optional.of(ClientTls.of(
                    general.tls(), general.clientTls(), general.limits().clientLoginTimeout(), work, counters));
        } catch (TlsProblem problem) {
            throw new TlsProblem("general." + problem.key(), problem.reason());
        }
    }

    private static Map<Target, ServerTls> servers(ProxyConfig config, CpuWork work) throws TlsProblem {
        Map<Target, ServerTls> servers = new HashMap<>();
        for (Map.Entry<String, PoolConfig> entry : config.pools().entrySet()) {
            ServerTlsOptions options =
                    config.general().serverTls().overriddenBy(entry.getValue().serverTls());
            Optional<Target> target =
                    target(config.general().tls(), options, entry.getValue().server());
            if (target.isEmpty() || servers.containsKey(target.get())) {
                continue;
            }
            try {
                servers.put(target.get(), server(target.get(), work));
            } catch (TlsProblem problem) {
                throw new TlsProblem(path(entry.getKey(), entry.getValue(), problem.key()), problem.reason());
            }
        }
        return servers;
    }

    private static ServerTls server(Target target, CpuWork work) throws TlsProblem {
        return ServerTls.of(target.common(), target.options(), target.host(), target.port(), work);
    }

    /// Empty where there is no TLS: by the mode, or because a Unix socket needs none.
    private static Optional<Target> target(TlsOptions common, ServerTlsOptions options, ServerAddress address) {
        return switch (address) {
            case ServerAddress.Tcp(var host, var port) ->
                options.serverTlsMode() == ServerTlsMode.DISABLE
                        ? Optional.empty()
                        : Optional.of(new Target(common, options, host, port));
            case ServerAddress.UnixSocket _ -> Optional.empty();
        };
    }

    /// Where the key stands that is to blame.
    private static String path(String database, PoolConfig pool, String key) {
        ServerTlsOverrides own = pool.serverTls();
        boolean here = switch (key) {
            case "server_tls_ca_cert" -> own.serverTlsCaCert().isPresent();
            case "server_tls_crl_file" -> own.serverTlsCrlFile().isPresent();
            case "server_tls_certificate" -> own.serverTlsCertificate().isPresent();
            case "server_tls_private_key" -> own.serverTlsPrivateKey().isPresent();
            case "server_tls_mode" -> own.serverTlsMode().isPresent();
            default -> false;
        };
        return (here ? "pools." + database : "general") + "." + key;
    }

    /// Every file that cannot be used, for the command `check`.
    public static List<TlsProblem> problems(ProxyConfig config) {
        List<TlsProblem> problems = new ArrayList<>();
        try (CpuWork work = CpuWork.start(THREADS)) {
            try {
                clients(config, work, new TlsCounters())
                        .ifPresent(it -> it.files().release());
            } catch (TlsProblem problem) {
                problems.add(problem);
            }
            config.pools().forEach((database, pool) -> {
                try {
                    ServerTlsOptions options = config.general().serverTls().overriddenBy(pool.serverTls());
                    Optional<Target> target = target(config.general().tls(), options, pool.server());
                    if (target.isPresent()) {
                        server(target.get(), work).files().release();
                    }
                } catch (TlsProblem problem) {
                    String path = path(database, pool, problem.key());
                    if (problems.stream().noneMatch(it -> it.key().equals(path))) {
                        problems.add(new TlsProblem(path, problem.reason()));
                    }
                }
            });
        }
        return problems;
    }

    /// What comes before the first startup packet of a client.
    public Negotiation negotiation() {
        return unixSocket -> Optional.of(new ClientNegotiation(unixSocket ? Optional.empty() : clients));
    }

    /// What the next client would get.
    ClientTls.Offer offer() throws TlsProblem {
        return clients.orElseThrow().offer(UnpooledByteBufAllocator.DEFAULT);
    }

    /// TLS of the backend connections of a pool.
    public synchronized PoolTls pool(PoolSettings settings) {
        return pools.computeIfAbsent(
                key(settings),
                _ -> new PoolTls(
                        target(settings.tls(), settings.serverTls(), settings.server())
                                .flatMap(it -> Optional.ofNullable(servers.get(it))),
                        new TlsCounters()));
    }

    /// The users of a database who do not stand in the configuration share one entry: they may be many, and
    /// come and go.
    private static PoolKey key(PoolSettings settings) {
        return settings.unlisted().isPresent()
                ? new PoolKey(settings.database(), "", settings.kind())
                : PoolKey.of(settings);
    }

    /// What has been counted of clients.
    public TlsCounters clientCounters() {
        return clientCounters;
    }

    /// What has been counted of backend connections, by pool in the order of names.
    public synchronized Map<PoolKey, TlsCounters> poolCounters() {
        Map<PoolKey, TlsCounters> counters = new TreeMap<>(java.util.Comparator.comparing(PoolKey::database)
                .thenComparing(PoolKey::user)
                .thenComparing(PoolKey::kind)
                .thenComparing(key -> key.grant().toString()));
        pools.forEach((key, pool) -> counters.put(key, pool.counters()));
        return counters;
    }

    /// What has been counted of the backend connections of one pool; empty before it was needed.
    public synchronized Optional<TlsCounters> counters(PoolKey pool) {
        return Optional.ofNullable(pools.get(pool)).map(PoolTls::counters);
    }

    /// The threads that compute for handshakes.
    public CpuWork work() {
        return work;
    }

    /// Reads all certificates again: new connections have the new ones.
    ///
    /// @return what cannot be used; there the old ones stay, and the log says so
    public List<TlsProblem> reload() {
        List<TlsProblem> problems = new ArrayList<>();
        clients.flatMap(it -> it.files().reload()).ifPresent(problems::add);
        servers.values().forEach(server -> server.files().reload().ifPresent(problems::add));
        return problems;
    }

    /// The certificates in use on both legs.
    public List<LoadedCertificate> certificates() {
        List<LoadedCertificate> all = new ArrayList<>();
        clients.ifPresent(it -> all.addAll(it.files().certificates()));
        servers.values().forEach(server -> all.addAll(server.files().certificates()));
        return all;
    }

    private void follow() {
        clients.ifPresent(it -> it.files().follow());
        servers.values().forEach(server -> server.files().follow());
    }

    /// To be called when no connection is left.
    @Override
    public void close() {
        watch.shutdownNow();
        work.close();
        clients.ifPresent(it -> it.files().release());
        servers.values().forEach(server -> server.files().release());
    }

    /// Whether clients are offered TLS.
    public boolean offered() {
        return clients.isPresent();
    }

    /// Whether clients must use it.
    public boolean required() {
        return clients.filter(ClientTls::required).isPresent();
    }
}
