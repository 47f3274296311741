package org.pgporter.node.pool;

import org.apache.pekko.actor.typed.ActorRef;
import org.pgporter.node.backend.BackendConnection;

/// What becomes of the decisions of [ShardedAssignments]: messages, from whichever loop has decided.
record Lending(ActorRef<Pool.Command> pool, PoolWishes wishes)
        implements ShardedAssignments.Hands<ActorRef<BackendConnection.Command>, Pool.Acquire> {
    @Override
    public void lend(ActorRef<BackendConnection.Command> connection, Pool.Acquire acquire) {
        connection.tell(
                new BackendConnection.Lend(acquire.lease(), acquire.holder(), acquire.wanted(), acquire.first()));
    }

    @Override
    public void waitsAgain(int loop) {
        pool.tell(new Pool.WaitsAgain(loop));
    }

    @Override
    public void borrowsOften(int loop) {
        if (wishes.whoWaits()) {
            pool.tell(new Pool.BorrowsOften(loop));
        }
    }
}
