package org.pgporter.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.ProofStore;
import org.pgporter.cluster.ClusterMembership;
import org.pgporter.cluster.NodeId;
import org.pgporter.cluster.PoolKey;
import org.pgporter.cluster.credential.LocalProofs;
import org.pgporter.cluster.limit.LocalPermits;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.ListenerConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.admin.Console;
import org.pgporter.node.admin.Operations;
import org.pgporter.node.authquery.AuthQuery;
import org.pgporter.node.backend.SaltedPasswordCache;
import org.pgporter.node.cancel.CancelKeys;
import org.pgporter.node.hba.AccessRules;
import org.pgporter.node.login.LoginGuard;
import org.pgporter.node.pool.DynamicPools;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.pool.TransportSettings;
import org.pgporter.node.session.ClientSession;
import org.pgporter.node.session.ConnectionLimits;
import org.pgporter.node.session.PinBoard;
import org.pgporter.node.session.SessionServices;
import org.pgporter.node.session.Sessions;
import org.pgporter.node.stats.Statistics;
import org.pgporter.node.tls.NodeTls;
import org.pgporter.node.tls.TlsProblem;
import org.pgporter.node.token.NodeTokens;
import org.pgporter.node.transport.EventLoops;
import org.pgporter.node.transport.IoKind;
import org.pgporter.node.transport.ListenAddress;
import org.pgporter.node.transport.ListenOptions;
import org.pgporter.node.transport.Listener;
import org.pgporter.node.transport.Listeners;
import org.pgporter.node.transport.LoopLag;
import org.pgporter.node.work.CpuWork;

/// A running node. Starts in this order: event loops, actor system, cluster, listeners; and stops in the
/// opposite one, because actors run on the loops and must be gone before these are.
public final class ProxyNode {
    private static final Duration START_LIMIT = Duration.ofSeconds(20);

    private final ProxyConfig config;
    private final EventLoops loops;
    private final NodeTls tls;
    private final CpuWork cpu;
    private final NodeLogins logins;
    private final ActorSystem<NodeGuardian.Command> system;
    private final List<Listener> listeners;
    private final ConnectionLimits limits;
    private final LocalPermits permits;
    private final CancelKeys<ActorRef<ClientSession.Command>> cancelKeys;
    private final PinBoard pins;
    private final Console console;
    private final Statistics statistics;
    private final AtomicBoolean draining;
    private final CompletableFuture<Void> closed = new CompletableFuture<>();

    private ProxyNode(
            ProxyConfig config,
            EventLoops loops,
            NodeTls tls,
            CpuWork cpu,
            NodeLogins logins,
            ActorSystem<NodeGuardian.Command> system,
            List<Listener> listeners,
            ConnectionLimits limits,
            LocalPermits permits,
            CancelKeys<ActorRef<ClientSession.Command>> cancelKeys,
            PinBoard pins,
            Console console,
            Statistics statistics,
            AtomicBoolean draining) {
        this.config = config;
        this.loops = loops;
        this.tls = tls;
        this.cpu = cpu;
        this.logins = logins;
        this.system = system;
        this.listeners = listeners;
        this.limits = limits;
        this.permits = permits;
        this.cancelKeys = cancelKeys;
        this.pins = pins;
        this.console = console;
        this.statistics = statistics;
        this.draining = draining;
        system.getWhenTerminated().whenComplete((_, _) -> Thread.ofVirtual().start(this::closeTheRest));
    }

    /// Starts a node and returns when every listener accepts.
    ///
    /// @throws NodeStartFailure when something does not come up; nothing is left behind then
    public static ProxyNode start(ProxyConfig config) {
        // Pekko's own settings are many files; they are read while the loops start.
        CompletableFuture<Config> defaults = CompletableFuture.supplyAsync(ConfigFactory::load);
        EventLoops loops;
        try {
            loops = EventLoops.start(
                    IoKind.valueOf(config.general().eventLoops().io().name()),
                    config.general().eventLoops().loops(),
                    config.general().eventLoops().loopHeldThreshold());
        } catch (RuntimeException e) {
            throw new NodeStartFailure("general.io: " + e.getMessage(), e);
        }
        NodeTls tls;
        try {
            tls = NodeTls.start(config);
        } catch (TlsProblem problem) {
            loops.close();
            throw new NodeStartFailure(problem.key() + ": " + problem.reason(), problem);
        }
        CpuWork cpu = CpuWork.start("pgporter-cpu-");
        SecureRandom random = new SecureRandom();
        ProofStore proofs = new LocalProofs();
        DynamicPools dynamicPools = new DynamicPools();
        NodeLogins logins;
        try {
            logins = NodeLogins.start(config, proofs, dynamicPools, random, cpu);
        } catch (NodeStartFailure failure) {
            cpu.close();
            loops.close();
            tls.close();
            throw failure;
        }
        ConnectionLimits limits = new ConnectionLimits(
                config.general().limits().maxConnections(),
                config.general().loginLimits().maxUnauthenticatedConnections(),
                config.general().console().adminReservedConnections());
        LocalPermits permits = new LocalPermits();
        AtomicBoolean draining = new AtomicBoolean();
        CancelKeys<ActorRef<ClientSession.Command>> cancelKeys =
                new CancelKeys<>(NodeId.startingNow(config.cluster().nodeIndex(), random), random);
        PinBoard pins = new PinBoard();
        Statistics statistics = new Statistics(loops.count());
        Console console = new Console(config, tls, logins.access(), logins.authQuery(), pins, statistics);
        BiFunction<ActorContext<?>, ActorRef<PoolRegistry.Command>, SessionServices> services = (context, pools) -> {
            logins.lookUpWith(context, loops, pools);
            return new SessionServices(
                    config,
                    loops,
                    logins.policy(),
                    logins.guard(),
                    logins.directory(),
                    limits,
                    cancelKeys,
                    pools,
                    pins,
                    console,
                    statistics,
                    draining);
        };
        List<Listener> listeners = new CopyOnWriteArrayList<>();
        ActorSystem<NodeGuardian.Command> system = ActorSystem.create(
                NodeGuardian.create(
                        PoolRegistry.create(
                                loops,
                                permits,
                                new SaltedPasswordCache(cpu),
                                tls,
                                random,
                                proofs,
                                dynamicPools,
                                statistics),
                        DispatcherSelector.fromConfig(loops.dispatcher(0)),
                        services,
                        () -> closeAll(listeners)),
                config.cluster().name(),
                ActorSystemSetup.create(
                        BootstrapSetup.create(pekkoConfig(config, loops, defaults.join())), loops.setup()));
        ProxyNode node = new ProxyNode(
                config,
                loops,
                tls,
                cpu,
                logins,
                system,
                listeners,
                limits,
                permits,
                cancelKeys,
                pins,
                console,
                statistics,
                draining);
        try {
            node.open();
            return node;
        } catch (RuntimeException e) {
            node.stop();
            node.closed.join();
            throw e instanceof NodeStartFailure failure ? failure : new NodeStartFailure(String.valueOf(e), e);
        }
    }

    private static Config pekkoConfig(ProxyConfig config, EventLoops loops, Config defaults) {
        return ConfigFactory.empty()
                .withFallback(loops.dispatcherConfig())
                .withFallback(ClusterMembership.pekkoConfig(config.cluster()))
                .withFallback(defaults);
    }

    private void open() {
        CompletionStage<?> member = ClusterMembership.join(system, config.cluster());
        NodeGuardian.Opened opened = AskPattern.<NodeGuardian.Command, NodeGuardian.Opened>ask(
                        system, NodeGuardian.Open::new, START_LIMIT, system.scheduler())
                .toCompletableFuture()
                .join();
        List<ActorRef<Sessions.Command>> sessions = opened.sessions();
        console.attach(system, sessions, opened.pools(), new ByConsole());
        GeneralConfig general = config.general();
        ListenOptions options = new ListenOptions(
                general.backlog(),
                general.listener().soReuseport(),
                TransportSettings.sockets(general.sockets()),
                tls.negotiation());
        for (ListenAddress address : listenAddresses(general.listener())) {
            try {
                listeners.add(Listeners.bind(
                                loops,
                                address,
                                options,
                                (loop, socket) -> sessions.get(loop).tell(new Sessions.Accepted(socket)))
                        .toCompletableFuture()
                        .join());
            } catch (CompletionException e) {
                Throwable cause = e.getCause() == null ? e : e.getCause();
                throw new NodeStartFailure("cannot listen on " + address + ": " + cause.getMessage(), cause);
            }
        }
        if (config.cluster().seedNodes().isEmpty()) {
            member.toCompletableFuture()
                    .orTimeout(START_LIMIT.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)
                    .join();
        }
    }

    private static List<ListenAddress> listenAddresses(ListenerConfig listener) {
        List<ListenAddress> addresses = new ArrayList<>();
        for (String host : listener.addresses()) {
            try {
                InetAddress address = host.equals("*") ? InetAddress.getByName("::") : InetAddress.getByName(host);
                addresses.add(new ListenAddress.Tcp(new InetSocketAddress(address, listener.port())));
            } catch (UnknownHostException e) {
                throw new NodeStartFailure("general.host: cannot resolve " + host, e);
            }
        }
        Optional<Path> unixSocket = listener.unixSocket();
        unixSocket.ifPresent(path -> addresses.add(
                new ListenAddress.Unix(path, listener.unixSocketMode().bits())));
        return addresses;
    }

    /// TLS on both legs: what has been counted of it, and the way to read certificates again.
    public NodeTls tls() {
        return tls;
    }

    /// The rules for logins: how often each has decided, and the way to read them again.
    public AccessRules accessRules() {
        return logins.access();
    }

    /// Whose tokens the node takes, and the way to read their key files again.
    public NodeTokens tokens() {
        return logins.tokens();
    }

    /// How the node's event loops talk to the operating system.
    public IoKind io() {
        return loops.kind();
    }

    /// How long each event loop keeps its sockets waiting, in the loops' order. The longest time begins
    /// anew with each call, so there should be one reader.
    public List<LoopLag> loopLags() {
        return loops.lags();
    }

    /// The threads that derive salted passwords: how many logins wait for them, and how many were refused.
    public CpuWork cpuWork() {
        return cpu;
    }

    /// Users that are not configured: what has been counted of their lookups, and ways to forget what is
    /// known of them.
    public AuthQuery authQuery() {
        return logins.authQuery();
    }

    /// What has been counted of logins.
    public LoginGuard.Statistics logins() {
        return logins.guard().statistics();
    }

    /// Connections that were closed because too many had not logged in, since the start.
    public long strangersRefused() {
        return limits.strangersRefused();
    }

    /// Where the node accepts clients, in the order of the configuration.
    public List<SocketAddress> addresses() {
        return listeners.stream().map(Listener::address).toList();
    }

    private final class ByConsole implements Operations {
        @Override
        public Reloaded reload() {
            List<String> problems = new ArrayList<>();
            tls.reload().forEach(problem -> problems.add(problem.key() + ": " + problem.reason()));
            logins.access().reload().forEach(problem -> problems.add(problem.toString()));
            logins.tokens().reload().forEach(problem -> problems.add(problem.key() + ": " + problem.reason()));
            logins.authQuery().forgetAll();
            return new Reloaded(
                    List.of("certificates", "rules for logins", "keys for tokens", "what auth_query finds"), problems);
        }

        @Override
        public void shutDown(Shutdown how) {
            switch (how) {
                case AT_ONCE -> stop();
                case WAIT_FOR_SERVERS -> drain(NodeGuardian.Patience.FOR_TRANSACTIONS);
                case WAIT_FOR_CLIENTS -> drain(NodeGuardian.Patience.FOR_CLIENTS);
            }
        }

        @Override
        public void invalidateAuth(Optional<String> database, Optional<String> user) {
            if (database.isEmpty()) {
                logins.authQuery().forgetAll();
            } else if (user.isEmpty()) {
                logins.authQuery().forget(database.get());
            } else {
                logins.authQuery().forget(new CredentialKey(database.get(), user.get()));
            }
        }
    }

    /// What operators ask of the node, by signals.
    public Console console() {
        return console;
    }

    /// Completes when the node is closed, whoever has stopped it.
    public CompletionStage<Void> closed() {
        return closed.copy();
    }

    /// Lets transactions finish: new clients are refused (57P03), a session ends as soon as nothing is open
    /// (57P01), and what is left after `general.shutdown_timeout` is ended. Completes when everything is
    /// closed.
    ///
    /// Where `general.so_reuseport` is on, the node stops listening at once: another process has the port as
    /// well, and new clients are its.
    public CompletionStage<Void> drain() {
        return drain(NodeGuardian.Patience.UNTIL_DEADLINE);
    }

    private CompletionStage<Void> drain(NodeGuardian.Patience patience) {
        if (config.general().listener().soReuseport()) {
            closeAll(listeners);
        }
        draining.set(true);
        system.tell(new NodeGuardian.Drain(patience, config.general().shutdownTimeout()));
        return closed.copy();
    }

    /// Ends every session at once (57P01). Completes when everything is closed.
    public CompletionStage<Void> stop() {
        draining.set(true);
        system.tell(new NodeGuardian.Stop());
        return closed.copy();
    }

    /// What the node holds at this moment, for tests and statistics: all zero when nobody is connected.
    ///
    /// @param connectionPlaces places counted against connection limits
    /// @param cancelKeys sessions that can be cancelled
    public record Holdings(int connectionPlaces, int cancelKeys) {}

    /// Which sessions keep their backend connections between transactions.
    public PinBoard pins() {
        return pins;
    }

    /// What has been counted of each pool.
    public Statistics statistics() {
        return statistics;
    }

    public Holdings holdings() {
        return new Holdings(limits.allCounts(), cancelKeys.size());
    }

    /// Connection permits that a pool holds, open connections and those on their way.
    public int permitsHeld(String database, String user) {
        return permitsHeld(new PoolKey(database, user));
    }

    /// Connection permits that a pool holds, open connections and those on their way.
    public int permitsHeld(PoolKey pool) {
        return permits.held(pool);
    }

    private static CompletionStage<Void> closeAll(List<Listener> listeners) {
        return CompletableFuture.allOf(listeners.stream()
                .map(listener -> listener.close().toCompletableFuture().exceptionally(_ -> null))
                .toArray(CompletableFuture[]::new));
    }

    private void closeTheRest() {
        closeAll(listeners).toCompletableFuture().join();
        loops.close();
        tls.close();
        logins.close();
        cpu.close();
        closed.complete(null);
    }
}
