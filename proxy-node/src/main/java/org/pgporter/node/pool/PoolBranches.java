package org.pgporter.node.pool;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.BackendOpening;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.OwnerMessage;

/// On which event loops a pool is at work: its own, and those on which it has a [PoolShard]. Confined to the
/// pool.
final class PoolBranches {
    /// A part of the pool, with what it takes to open connections there.
    ///
    /// @param sessions whom the sessions of the loop ask
    /// @param events where the connections of the loop report
    record Branch(
            Shard<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> shard,
            BackendOpening opening,
            ActorRef<Pool.Command> sessions,
            ActorRef<BackendConnection.Event> events) {}

    private final ActorContext<OwnerMessage> context;
    private final PoolPlan plan;
    private final PoolWishes wishes;
    private final ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> assignments;
    private final Branch home;
    /// By the index of their loop, the pool's own first.
    private final Map<Integer, Branch> ready = new LinkedHashMap<>();
    /// By the same index, also those that are not ready yet.
    private final Map<Integer, ActorRef<Pool.Command>> shards = new HashMap<>();

    /// @param opening on the pool's own loop
    PoolBranches(
            ActorContext<OwnerMessage> context,
            PoolPlan plan,
            PoolWishes wishes,
            ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> assignments,
            BackendOpening opening) {
        this.context = context;
        this.plan = plan;
        this.wishes = wishes;
        this.assignments = assignments;
        this.home = new Branch(
                assignments.addShard(opening.loop()),
                opening,
                context.getSelf().narrow(),
                context.getSelf().narrow());
        ready.put(opening.loop(), home);
    }

    /// That of the pool's own loop.
    Branch home() {
        return home;
    }

    /// Sees to it that there is one on this loop; if there is none yet, [Pool.ShardReady] comes.
    void add(int loop) {
        if (loop == home.shard().loop() || shards.containsKey(loop)) {
            return;
        }
        ActorRef<Pool.Command> shard = context.spawn(
                        PoolShard.create(plan, context.getSelf(), wishes, assignments, assignments.addShard(loop)),
                        "shard-" + loop,
                        DispatcherSelector.fromConfig(home.opening().on(loop).dispatcher()))
                .narrow();
        context.watch(shard);
        shards.put(loop, shard);
    }

    void isReady(Pool.ShardReady shard) {
        int loop = shard.shard().loop();
        ready.put(loop, new Branch(shard.shard(), home.opening().on(loop), shard.sessions(), shard.events()));
    }

    /// Empty if there is none, or it is not ready.
    Optional<Branch> on(int loop) {
        return Optional.ofNullable(ready.get(loop));
    }

    /// The same, or the pool's own.
    Branch onOrHome(int loop) {
        return ready.getOrDefault(loop, home);
    }

    boolean onlyHome() {
        return shards.isEmpty();
    }

    /// How many [PoolShard]s there are.
    int shards() {
        return shards.size();
    }

    boolean isShard(ActorRef<?> actor) {
        return shards.values().stream().anyMatch(actor::equals);
    }

    /// Where clients wait for a connection most, or else where the fewest are.
    Branch nextToOpen() {
        if (ready.size() == 1) {
            return home;
        }
        List<Shard<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire>> all =
                ready.values().stream().map(Branch::shard).toList();
        return onOrHome(assignments.nextToOpen(all).loop());
    }
}
