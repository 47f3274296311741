package org.pgporter.node.session;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorRef;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.cancel.CancelKeys;
import org.pgporter.node.login.Directory;
import org.pgporter.node.login.LoginGuard;
import org.pgporter.node.login.LoginPolicy;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.stats.Statistics;
import org.pgporter.node.transport.EventLoops;

/// What every session of a node works with.
///
/// @param logins who may come in, and how that is proven
/// @param guard keeps those out who try too often
/// @param directory which pool is for whom
/// @param pins which sessions keep their backend connections
/// @param console who may talk to the node itself
/// @param statistics what is counted of each pool
/// @param draining the node takes no new sessions
public record SessionServices(
        ProxyConfig config,
        EventLoops loops,
        LoginPolicy logins,
        LoginGuard guard,
        Directory directory,
        ConnectionLimits limits,
        CancelKeys<ActorRef<ClientSession.Command>> cancelKeys,
        ActorRef<PoolRegistry.Command> pools,
        PinBoard pins,
        ConsoleAccess console,
        Statistics statistics,
        AtomicBoolean draining) {}
