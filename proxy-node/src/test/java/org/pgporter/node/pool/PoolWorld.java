package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.pgporter.auth.Secret;
import org.pgporter.cluster.PoolKey;
import org.pgporter.cluster.limit.LocalPermits;
import org.pgporter.config.DatabaseLimits;
import org.pgporter.config.PoolMode;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.BackendOpening;
import org.pgporter.node.backend.BackendSettings;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.SaltedPasswordCache;
import org.pgporter.node.backend.ServerPasswords;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.stats.Statistics;
import org.pgporter.node.tls.PoolTls;
import org.pgporter.node.transport.EventLoops;
import org.pgporter.node.transport.IoKind;
import org.pgporter.node.transport.RemoteAddress;
import org.pgporter.node.transport.SocketOptions;
import org.pgporter.protocol.message.ErrorResponse;

/// A loop with pools on it, and short ways to say what sessions say to them.
final class PoolWorld implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(10);
    static final PoolKey KEY = new PoolKey("db", "app");

    final EventLoops loops = EventLoops.start(IoKind.AUTO, 2, Duration.ZERO);
    final ActorTestKit kit;
    private final ActorSystem<Void> system;
    private final List<ActorRef<Pool.Command>> pools = new ArrayList<>();
    private final ExecutorService cpu = Executors.newSingleThreadExecutor();

    PoolWorld() {
        system = ActorSystem.create(
                Behaviors.empty(),
                "pools",
                ActorSystemSetup.create(
                        BootstrapSetup.create(loops.dispatcherConfig().withFallback(ConfigFactory.load())),
                        loops.setup()));
        kit = ActorTestKit.create(system);
    }

    static PoolPlan plan(int port) {
        return new PoolPlan(
                KEY,
                PoolMode.TRANSACTION,
                new BackendSettings(
                        new RemoteAddress.Tcp("127.0.0.1", port),
                        SocketOptions.plain(),
                        "app",
                        "db",
                        Map.of(),
                        PATIENCE,
                        10,
                        Optional.empty(),
                        Duration.ofHours(1)),
                4,
                0,
                2,
                PATIENCE,
                Duration.ZERO,
                Duration.ZERO,
                Duration.ofMillis(300),
                false);
    }

    Client client(PoolPlan plan) {
        return new Client(plan, 0, Optional.empty());
    }

    void shutDownPools() {
        pools.forEach(pool -> pool.tell(new Pool.Shutdown()));
        pools.clear();
    }

    Database database(DatabaseLimits limits) {
        return new Database(limits);
    }

    /// Pools that share a cap, on different loops in turn.
    final class Database {
        private final ActorRef<DatabaseCoordinator.Command> coordinator;
        private final Duration minLifetime;
        private int pools;

        private Database(DatabaseLimits limits) {
            coordinator =
                    kit.spawn(DatabaseCoordinator.create(limits), DispatcherSelector.fromConfig(loops.dispatcher(0)));
            minLifetime = limits.minConnectionLifetime();
        }

        Client client(PoolPlan plan, int guaranteed) {
            return new Client(
                    plan,
                    pools++ % loops.count(),
                    Optional.of(new DatabaseShare.Terms(coordinator, guaranteed, minLifetime)));
        }

        Client client(PoolPlan plan) {
            return client(plan, 0);
        }
    }

    /// A pool, and everybody who uses it.
    final class Client {
        final LocalPermits permits;
        final TestProbe<LeaseEvent> holder = kit.createTestProbe();
        final TestProbe<Pool.JoinReply> joined = kit.createTestProbe();
        final ActorRef<Pool.Command> pool;
        private final int loop;

        private Client(PoolPlan plan, int loop, Optional<DatabaseShare.Terms> cap) {
            this.loop = loop;
            this.permits = new LocalPermits();
            var opening = new BackendOpening(
                    system,
                    loops,
                    loop,
                    new SaltedPasswordCache(cpu),
                    new SecureRandom(),
                    PoolTls.none(),
                    new ServerPasswords(Optional.of(Secret.of("secret")), Optional.empty()),
                    Optional::empty,
                    new BackendOpening.Counting(new Statistics(loops.count()), plan.key()));
            pool = kit.spawn(
                            Pool.create(plan, opening, permits, cap, false),
                            DispatcherSelector.fromConfig(loops.dispatcher(loop)))
                    .narrow();
            pools.add(pool);
        }

        private Client(Client there, int loop, ActorRef<Pool.Command> pool) {
            this.loop = loop;
            this.permits = there.permits;
            this.pool = pool;
        }

        /// Sessions of the other loop that use the same pool. They have joined, which takes a connection
        /// that is open.
        Client onTheOtherLoop() {
            int other = (loop + 1) % loops.count();
            pool.tell(new Pool.Join(other, Optional.empty(), joined.getRef()));
            return new Client(
                    this,
                    other,
                    joined.expectMessageClass(Pool.Joined.class, PATIENCE).pool());
        }

        /// Whether the connection lives on the loop of these sessions.
        boolean isAtHome(LeaseEvent.Attached attached) {
            return attached.backend().path().name().startsWith("backend-" + loop + "-");
        }

        String dispatcher() {
            return loops.dispatcher(loop);
        }

        /// Connections open or being opened.
        int held() {
            return permits.held(KEY);
        }

        void joins() {
            pool.tell(new Pool.Join(loop, Optional.empty(), joined.getRef()));
        }

        LeaseId acquires() {
            LeaseId lease = LeaseId.next();
            pool.tell(acquire(lease));
            return lease;
        }

        Pool.Acquire acquire(LeaseId lease) {
            return new Pool.Acquire(lease, holder.getRef(), WantedParameters.none(), Optional.empty());
        }

        LeaseEvent.Attached attached() {
            return holder.expectMessageClass(LeaseEvent.Attached.class, PATIENCE);
        }

        LeaseEvent.Attached attached(LeaseId lease) {
            var attached = attached();
            assertThat(attached.lease()).isEqualTo(lease);
            return attached;
        }

        ErrorResponse unserved(LeaseId lease) {
            var unserved = holder.expectMessageClass(LeaseEvent.Unserved.class, PATIENCE);
            assertThat(unserved.lease()).isEqualTo(lease);
            return unserved.error();
        }

        void gives(LeaseEvent.Attached back) {
            back.backend().tell(new BackendConnection.Return(back.lease(), BackendConnection.Ending.FINISHED));
        }

        /// Does several things before any actor of the loop gets its turn.
        void inOneTurn(Runnable actions) throws Exception {
            loops.loop(loop).submit(actions).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        /// From now on every task of this loop finds that the other loop has done all it had to do meanwhile: whatever
        /// takes one more turn here comes after what went there directly. Until closed.
        AutoCloseable behindTheOtherLoop() {
            AtomicBoolean goesOn = new AtomicBoolean(true);
            loops.loop(loop).execute(() -> letTheOtherGoFirst(goesOn));
            return () -> goesOn.set(false);
        }

        private void letTheOtherGoFirst(AtomicBoolean goesOn) {
            if (!goesOn.get()) {
                return;
            }
            try {
                for (int hop = 0; hop < 3; hop++) {
                    loops.loop((loop + 1) % loops.count()).submit(() -> {}).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                }
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
            loops.loop(loop).execute(() -> letTheOtherGoFirst(goesOn));
        }

        /// Until the pool has heard what was said to it, and what was said to its connections and passed on by them.
        void hasHeard() {
            try {
                for (int hop = 0; hop < 3; hop++) {
                    inOneTurn(() -> {});
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
        loops.close();
        cpu.shutdown();
    }
}
