package org.pgporter.node.pool;

import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.OwnerMessage;

/// Finds those who have waited too long in the line of one shard, with one timer: it is set for whoever is
/// first, and when it comes, for whoever is first then. All may wait equally long, so nobody is due before
/// the first. Confined to the actor whose timers these are.
final class LineDeadlines {
    private final TimerScheduler<OwnerMessage> timers;
    private final ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> assignments;
    private final Shard<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> shard;
    private boolean watching;

    LineDeadlines(
            TimerScheduler<OwnerMessage> timers,
            ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> assignments,
            Shard<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> shard) {
        this.timers = timers;
        this.assignments = assignments;
        this.shard = shard;
    }

    /// Somebody waits: [Pool.DeadlinePassed] comes when that is too long.
    void watch() {
        if (!watching) {
            assignments.nextDeadline(shard).ifPresent(deadline -> {
                watching = true;
                long delay = Math.max(0, deadline - System.nanoTime());
                timers.startSingleTimer(new Pool.DeadlinePassed(), Duration.ofNanos(delay));
            });
        }
    }

    /// Those who have waited too long by now; they are not in the line any more.
    List<Pool.Acquire> passed() {
        List<Pool.Acquire> overdue = assignments.overdue(shard, System.nanoTime()).stream()
                .map(Assignments.Waiting::request)
                .toList();
        watching = false;
        watch();
        return overdue;
    }
}
