package org.pgporter.node.pool;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.pgporter.auth.BackendProof;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.ProofStore;
import org.pgporter.cluster.PoolKey;
import org.pgporter.cluster.limit.ConnectionPermits;
import org.pgporter.config.PoolKind;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolOptions;
import org.pgporter.config.PoolSettings;
import org.pgporter.node.backend.BackendIdentity;
import org.pgporter.node.backend.BackendOpening;
import org.pgporter.node.backend.BackendSettings;
import org.pgporter.node.backend.SaltedPasswordCache;
import org.pgporter.node.backend.ServerPasswords;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.stats.Statistics;
import org.pgporter.node.tls.NodeTls;
import org.pgporter.node.transport.EventLoops;
import org.pgporter.node.work.Gathering;
import org.pgporter.protocol.message.ErrorResponse;

/// The pools of this node. A pool comes to be when the first client of its key logs in, or at the start
/// when it is to keep connections open that need nothing of a client. It lives on the loop of that client,
/// or else on the next one in turn, and has shards on the other loops from which it is used. Pools of a
/// database with a cap share a [DatabaseCoordinator].
public final class PoolRegistry extends AbstractBehavior<PoolRegistry.Command> {
    public sealed interface Command {}

    /// A client has logged in; its pool answers.
    ///
    /// @param loop the index of the event loop that the client's session lives on
    /// @param session who uses the pool from now on as long as it lives
    public record Join(
            PoolSettings settings,
            int loop,
            Optional<BackendProof> proof,
            ActorRef<?> session,
            ActorRef<Pool.JoinReply> replyTo)
            implements Command {}

    /// A client has logged in that needs a backend connection for itself, which nobody uses before or after
    /// it: a pool of its own answers, which ends with the session.
    ///
    /// @param loop the index of the event loop that the session lives on
    /// @param startup what goes into the startup packet beside the pool's own parameters, and before these
    /// @param session who lives as long as the session
    public record JoinAlone(
            PoolSettings settings,
            int loop,
            Optional<BackendProof> proof,
            Map<String, String> startup,
            ActorRef<?> session,
            ActorRef<Pool.JoinReply> replyTo)
            implements Command {}

    private record SessionEnded(ActorRef<Pool.Command> itsPool, Optional<PoolUse.Use> use) implements Command {}

    private record SessionLeft(PoolUse.Use use) implements Command {}

    private record LookForUnused() implements Command {}

    /// Make the pool now, so that it fills up to its minimum.
    public record Prepare(PoolSettings settings) implements Command {}

    /// Close all pools as their connections become free, then stop.
    public record Shutdown() implements Command {}

    /// Which pools are there, and what has an operator asked of their databases?
    public record List(ActorRef<Gathering.Answer<Listed>> replyTo) implements Command {}

    public record Listed(java.util.List<ActorRef<Pool.Command>> pools, DatabasesView databases) {
        /// What is known when nobody has answered.
        public static final Listed NONE =
                new Listed(java.util.List.of(), new DatabasesView(false, java.util.Set.of(), java.util.Set.of()));
    }

    /// What an operator wants of one database, or of all.
    ///
    /// @param database empty: all of them
    /// @param done completed with false if there was nothing to do, and otherwise when it has come to be
    public record Order(Kind kind, Optional<String> database, CompletableFuture<Boolean> done) implements Command {}

    /// What an operator can want.
    public enum Kind {
        /// Every connection is closed as it becomes free, and nothing is lent until [#RESUME]. Done only once for all.
        PAUSE,
        /// The same, however often.
        KILL,
        RESUME,
        /// Every connection is closed as it becomes free; others are opened as they are needed.
        RECONNECT,
        /// Changes nothing, but is done when all connections are closed that were to be closed.
        WAIT_CLOSE,
        /// Nobody can log in any more until [#ENABLE].
        DISABLE,
        ENABLE
    }

    private record CarriedOut(Pool.Done said) implements Command {}

    private static final Duration LOOKS_EVERY = Duration.ofSeconds(1);
    private static final Duration NEVER_CHECKED = Duration.ofNanos(Long.MAX_VALUE);

    private final EventLoops loops;
    private final ConnectionPermits permits;
    private final SaltedPasswordCache saltedPasswords;
    private final NodeTls tls;
    private final SecureRandom random;
    private final ProofStore proofs;
    private final DynamicPools dynamicPools;
    private final Statistics statistics;
    private final PoolUse use = new PoolUse();
    /// Pools that nobody can join any more, while they close their connections.
    private final Map<ActorRef<Pool.Command>, PoolKey> ending = new HashMap<>();
    private final Map<PoolKey, ActorRef<Pool.Command>> pools = new HashMap<>();
    /// Pools of one session each, with the key whose limit they count against.
    private final Map<ActorRef<Pool.Command>, PoolKey> alone = new HashMap<>();
    private final Map<String, ActorRef<DatabaseCoordinator.Command>> coordinators = new HashMap<>();
    private final DatabaseStates states = new DatabaseStates();
    private final Orders orders = new Orders();
    private final ActorRef<Pool.Done> carriedOut;
    private int nextLoop;
    private long sequence;
    private boolean shuttingDown;

    private PoolRegistry(
            ActorContext<Command> context,
            EventLoops loops,
            ConnectionPermits permits,
            SaltedPasswordCache saltedPasswords,
            NodeTls tls,
            SecureRandom random,
            ProofStore proofs,
            DynamicPools dynamicPools,
            Statistics statistics) {
        super(context);
        this.loops = loops;
        this.permits = permits;
        this.saltedPasswords = saltedPasswords;
        this.tls = tls;
        this.random = random;
        this.carriedOut = context.messageAdapter(Pool.Done.class, CarriedOut::new);
        this.proofs = proofs;
        this.dynamicPools = dynamicPools;
        this.statistics = statistics;
    }

    /// @param proofs what pools log in with whose connections log in as the client
    /// @param dynamicPools counts the pools of users whom `auth_query` has found
    public static Behavior<Command> create(
            EventLoops loops,
            ConnectionPermits permits,
            SaltedPasswordCache saltedPasswords,
            NodeTls tls,
            SecureRandom random,
            ProofStore proofs,
            DynamicPools dynamicPools,
            Statistics statistics) {
        return Behaviors.withTimers(timers -> Behaviors.setup(context -> {
            timers.startTimerWithFixedDelay(new LookForUnused(), LOOKS_EVERY);
            return new PoolRegistry(
                    context, loops, permits, saltedPasswords, tls, random, proofs, dynamicPools, statistics);
        }));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onAnyMessage(this::onCommand)
                .onSignal(Terminated.class, this::onTerminated)
                .build();
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Join join -> join(join);
            case JoinAlone join -> joinAlone(join);
            case SessionEnded(var itsPool, var its) -> {
                itsPool.tell(new Pool.Shutdown());
                its.ifPresent(used -> used.left(System.nanoTime()));
            }
            case SessionLeft(var its) -> its.left(System.nanoTime());
            case LookForUnused _ -> use.dueAt(System.nanoTime()).forEach(this::close);
            case Prepare(var settings) -> pool(settings, () -> nextLoop++ % loops.count());
            case List(var replyTo) ->
                replyTo.tell(new Gathering.Answer<>(
                        getContext().getSelf(), new Listed(everyPool(_ -> true), states.view())));
            case Order order -> onOrder(order);
            case CarriedOut(var said) -> orders.done(said);
            case Shutdown _ -> {
                shuttingDown = true;
                pools.values().forEach(pool -> pool.tell(new Pool.Shutdown()));
                alone.keySet().forEach(pool -> pool.tell(new Pool.Shutdown()));
            }
        }
        return goOn();
    }

    private Behavior<Command> onTerminated(Terminated signal) {
        ActorRef<Pool.Command> guest = signal.getRef().unsafeUpcast();
        orders.ended(guest);
        Optional.ofNullable(ending.remove(guest)).ifPresent(this::gone);
        pools.entrySet().stream()
                .filter(entry -> entry.getValue().equals(guest))
                .map(Map.Entry::getKey)
                .findFirst()
                .ifPresent(key -> {
                    pools.remove(key);
                    use.ended(key);
                    gone(key);
                });
        Optional.ofNullable(alone.remove(guest))
                .flatMap(key -> Optional.ofNullable(pools.get(key)))
                .ifPresent(pool -> pool.tell(new Pool.GuestGone(guest)));
        return goOn();
    }

    private Behavior<Command> goOn() {
        return shuttingDown && pools.isEmpty() && alone.isEmpty() && ending.isEmpty() ? Behaviors.stopped() : this;
    }

    // ---- pools of users who are not configured

    private void join(Join join) {
        PoolSettings settings = join.settings();
        if (shuttingDown) {
            join.replyTo().tell(new Pool.JoinFailed(ProxyError.shuttingDown()));
            return;
        }
        if (states.isDisabled(settings.database())) {
            join.replyTo().tell(new Pool.JoinFailed(ProxyError.databaseDisabled(settings.database())));
            return;
        }
        Optional<ErrorResponse> refusal = noRoomFor(settings);
        if (refusal.isPresent()) {
            join.replyTo().tell(new Pool.JoinFailed(refusal.get()));
            return;
        }
        uses(settings).ifPresent(its -> getContext().watchWith(join.session(), new SessionLeft(its)));
        pool(settings, join::loop).tell(new Pool.Join(join.loop(), learned(settings, join.proof()), join.replyTo()));
    }

    /// Why there is no room for a user whom the configuration does not know, if there is none.
    private Optional<ErrorResponse> noRoomFor(PoolSettings settings) {
        return settings.unlisted().flatMap(terms -> {
            PoolUse.Room room = use.room(PoolKey.of(settings), terms);
            room.instead().forEach(this::close);
            return room.granted() ? Optional.empty() : Optional.of(ProxyError.tooManyUnlisted(terms.source()));
        });
    }

    private Optional<PoolUse.Use> uses(PoolSettings settings) {
        return settings.unlisted().map(terms -> use.joined(PoolKey.of(settings), terms));
    }

    /// Nobody uses it. Whoever comes from now on gets another one.
    private void close(PoolKey key) {
        use.ended(key);
        ActorRef<Pool.Command> pool = pools.remove(key);
        if (pool != null) {
            ending.put(pool, key);
            pool.tell(new Pool.Shutdown());
        }
    }

    private void gone(PoolKey key) {
        if (!pools.containsKey(key)) {
            statistics.forget(key);
        }
        if (DynamicPools.counts(key.kind())) {
            dynamicPools.destroyed(key.database());
        }
    }

    /// Also those that are closing.
    private java.util.List<ActorRef<Pool.Command>> everyPool(Predicate<String> ofDatabase) {
        java.util.List<ActorRef<Pool.Command>> all = new ArrayList<>();
        pools.forEach((key, pool) -> addIf(ofDatabase, key, pool, all));
        alone.forEach((pool, key) -> addIf(ofDatabase, key, pool, all));
        ending.forEach((pool, key) -> addIf(ofDatabase, key, pool, all));
        return all;
    }

    private static void addIf(
            Predicate<String> ofDatabase,
            PoolKey key,
            ActorRef<Pool.Command> pool,
            java.util.List<ActorRef<Pool.Command>> all) {
        if (ofDatabase.test(key.database())) {
            all.add(pool);
        }
    }

    private void onOrder(Order order) {
        java.util.List<ActorRef<Pool.Command>> its =
                everyPool(database -> order.database().map(database::equals).orElse(true));
        switch (order.kind()) {
            case PAUSE, KILL -> {
                if (order.kind() == Kind.PAUSE
                        && order.database().isEmpty()
                        && states.view().allPaused()) {
                    order.done().complete(false);
                    return;
                }
                order.database().ifPresentOrElse(states::pause, states::pauseAll);
                its.forEach(pool -> pool.tell(new Pool.Pause(order.done(), carriedOut)));
                orders.await(its, order.done());
            }
            case RESUME -> {
                boolean some = order.database().map(states::resume).orElseGet(states::resumeAll);
                if (some) {
                    its.forEach(pool -> pool.tell(new Pool.Resume()));
                }
                order.done().complete(some);
            }
            case RECONNECT -> {
                its.forEach(pool -> pool.tell(new Pool.Reconnect()));
                order.done().complete(true);
            }
            case WAIT_CLOSE -> {
                its.forEach(pool -> pool.tell(new Pool.WaitClose(order.done(), carriedOut)));
                orders.await(its, order.done());
            }
            case DISABLE -> {
                order.database().ifPresent(states::disable);
                order.done().complete(true);
            }
            case ENABLE -> {
                order.database().ifPresent(states::enable);
                order.done().complete(true);
            }
        }
    }

    // ---- all pools

    private void joinAlone(JoinAlone join) {
        if (shuttingDown) {
            join.replyTo().tell(new Pool.JoinFailed(ProxyError.shuttingDown()));
            return;
        }
        if (states.isDisabled(join.settings().database())) {
            join.replyTo()
                    .tell(new Pool.JoinFailed(
                            ProxyError.databaseDisabled(join.settings().database())));
            return;
        }
        PoolSettings settings = join.settings();
        Optional<ErrorResponse> refusal = noRoomFor(settings);
        if (refusal.isPresent()) {
            join.replyTo().tell(new Pool.JoinFailed(refusal.get()));
            return;
        }
        PoolKey key = PoolKey.of(settings);
        ActorRef<Pool.Command> guest =
                spawn(aloneFor(plan(key, settings), join.startup()), settings, join.loop(), "alone-");
        alone.put(guest, key);
        getContext().watchWith(join.session(), new SessionEnded(guest, uses(settings)));
        Optional.ofNullable(pools.get(key)).ifPresent(pool -> pool.tell(new Pool.MakeRoom(guest)));
        guest.tell(new Pool.Join(join.loop(), learned(settings, join.proof()), join.replyTo()));
    }

    /// One connection, which is opened for the session that waits for it and is lent to nobody else. What the
    /// client wants is in its startup packet, and nothing is asked of it by ourselves: a walsender need not
    /// understand SQL.
    private static PoolPlan aloneFor(PoolPlan plan, Map<String, String> startup) {
        BackendSettings backend = plan.backend();
        Map<String, String> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        all.putAll(backend.startupParameters());
        all.putAll(startup);
        return new PoolPlan(
                plan.key(),
                PoolMode.SESSION,
                new BackendSettings(
                        backend.address(),
                        backend.socketOptions(),
                        backend.user(),
                        backend.database(),
                        backend.identity(),
                        all,
                        backend.connectTimeout(),
                        backend.statementCapacity(),
                        Optional.empty(),
                        NEVER_CHECKED),
                plan.size(),
                0,
                1,
                plan.queryWaitTimeout(),
                Duration.ZERO,
                Duration.ZERO,
                plan.loginRetry(),
                true);
    }

    /// What a client proved itself with opens the backend only where it logs in under the same name, and not for one
    /// who has shown a token: the proof that is kept under that name is somebody's who knows the password.
    static boolean logsInAsClient(PoolSettings settings) {
        return settings.serverUser().equals(settings.user())
                && settings.grant().isEmpty()
                && (settings.kind() == PoolKind.CONFIGURED || settings.kind() == PoolKind.DYNAMIC);
    }

    private Optional<BackendProof> learned(PoolSettings settings, Optional<BackendProof> proof) {
        Optional<BackendProof> usable = proof.filter(_ -> logsInAsClient(settings));
        usable.ifPresent(it -> proofs.learned(credential(settings), it));
        return usable;
    }

    private static CredentialKey credential(PoolSettings settings) {
        return new CredentialKey(settings.database(), settings.user());
    }

    private ActorRef<Pool.Command> pool(PoolSettings settings, IntSupplier loop) {
        return pools.computeIfAbsent(PoolKey.of(settings), key -> {
            if (DynamicPools.counts(key.kind())) {
                dynamicPools.created(key.database());
            }
            ActorRef<Pool.Command> pool = spawn(plan(key, settings), settings, loop.getAsInt(), "pool-");
            alone.forEach((guest, its) -> {
                if (its.equals(key)) {
                    pool.tell(new Pool.MakeRoom(guest));
                }
            });
            return pool;
        });
    }

    private ActorRef<Pool.Command> spawn(PoolPlan plan, PoolSettings settings, int loop, String kind) {
        BackendOpening opening = new BackendOpening(
                getContext().getSystem(),
                loops,
                loop,
                saltedPasswords,
                random,
                tls.pool(settings),
                new ServerPasswords(settings.serverPassword(), settings.previousServerPassword()),
                logsInAsClient(settings) ? () -> proofs.proof(credential(settings)) : Optional::empty,
                new BackendOpening.Counting(statistics, plan.key()));
        ActorRef<Pool.Command> pool = getContext()
                .spawn(
                        Pool.create(
                                plan,
                                opening,
                                permits,
                                cap(plan, settings, loop),
                                states.isPaused(settings.database())),
                        kind + ++sequence + "-" + loop,
                        DispatcherSelector.fromConfig(loops.dispatcher(loop)))
                .narrow();
        getContext().watch(pool);
        return pool;
    }

    /// A coordinator lives on the loop of its database's first pool.
    private Optional<DatabaseShare.Terms> cap(PoolPlan plan, PoolSettings settings, int loop) {
        if (!settings.databaseLimits().capped()) {
            return Optional.empty();
        }
        ActorRef<DatabaseCoordinator.Command> coordinator = coordinators.computeIfAbsent(
                settings.database(),
                _ -> getContext()
                        .spawn(
                                DatabaseCoordinator.create(settings.databaseLimits()),
                                "database-" + coordinators.size(),
                                DispatcherSelector.fromConfig(loops.dispatcher(loop))));
        return Optional.of(new DatabaseShare.Terms(
                coordinator,
                plan.forOneSession() ? 1 : settings.options().guaranteedSize(), // it has no other connection
                settings.databaseLimits().minConnectionLifetime()));
    }

    private static PoolPlan plan(PoolKey key, PoolSettings settings) {
        PoolOptions options = settings.options();
        Map<String, String> startup = new LinkedHashMap<>(options.startupParameters());
        options.applicationName().ifPresent(name -> startup.putIfAbsent("application_name", name));
        boolean reset = options.poolMode() == PoolMode.SESSION
                && !options.serverResetQuery().isBlank();
        BackendSettings backend = new BackendSettings(
                TransportSettings.remote(settings.server()),
                TransportSettings.sockets(settings.sockets()),
                settings.serverUser(),
                settings.serverDatabase(),
                settings.grant()
                        .map(grant -> new BackendIdentity(grant.role(), grant.readOnly()))
                        .orElse(BackendIdentity.LOGIN),
                startup,
                options.connectTimeout(),
                options.statementCacheSize(),
                reset ? Optional.of(options.serverResetQuery()) : Optional.empty(),
                options.serverCheckDelay());
        return new PoolPlan(
                key,
                options.poolMode(),
                backend,
                options.poolSize(),
                options.minPoolSize(),
                options.maxConcurrentCreates(),
                options.queryWaitTimeout(),
                options.idleTimeout(),
                options.serverLifetime(),
                options.serverLoginRetry(),
                false);
    }
}
