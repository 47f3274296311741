package org.pgporter.node.pool;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;

/// What an operator has ordered and some pools have not carried out yet. Confined to the registry of pools.
final class Orders {
    private record Open(Set<ActorRef<Pool.Command>> pools, CompletableFuture<Boolean> done) {}

    private final List<Open> open = new ArrayList<>();

    /// Completes the future with true when all of these pools have said [Pool.Done], or have ended.
    void await(Collection<ActorRef<Pool.Command>> pools, CompletableFuture<Boolean> done) {
        open.add(new Open(new HashSet<>(pools), done));
        look();
    }

    void done(Pool.Done said) {
        for (Open order : open) {
            if (order.done() == said.order()) {
                order.pools().remove(said.pool());
            }
        }
        look();
    }

    void ended(ActorRef<Pool.Command> pool) {
        open.forEach(order -> order.pools().remove(pool));
        look();
    }

    private void look() {
        Iterator<Open> each = open.iterator();
        while (each.hasNext()) {
            Open order = each.next();
            if (order.pools().isEmpty() || order.done().isDone()) {
                each.remove();
                order.done().complete(true);
            }
        }
    }
}
