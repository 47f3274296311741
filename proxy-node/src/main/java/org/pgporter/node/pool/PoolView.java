package org.pgporter.node.pool;

import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.PoolMode;
import org.pgporter.node.backend.BackendConnection;

/// What a pool is like at one moment.
///
/// @param forOneSession it has one connection, for a session that keeps it
/// @param address where PostgreSQL listens
/// @param paused nothing is lent
/// @param connections those that are open and those that are being opened
/// @param waiting requests that wait for a connection
public record PoolView(
        PoolKey key,
        boolean forOneSession,
        PoolMode mode,
        int size,
        int minSize,
        String address,
        boolean paused,
        List<ActorRef<BackendConnection.Command>> connections,
        int waiting) {}
