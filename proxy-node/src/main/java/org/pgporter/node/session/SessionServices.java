package org.pgporter.node.session;

import java.security.SecureRandom;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorRef;
import org.pgporter.auth.MockSecrets;
import org.pgporter.auth.credential.CredentialSource;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.cancel.CancelKeys;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.transport.EventLoops;

/// What every session of a node works with.
///
/// @param pins which sessions keep their backend connections
/// @param cpu for work that would hold an event loop
/// @param draining the node takes no new sessions
public record SessionServices(
        ProxyConfig config,
        EventLoops loops,
        CredentialSource credentials,
        MockSecrets mocks,
        SecureRandom random,
        ConnectionLimits limits,
        CancelKeys<ActorRef<ClientSession.Command>> cancelKeys,
        ActorRef<PoolRegistry.Command> pools,
        PinBoard pins,
        Executor cpu,
        AtomicBoolean draining) {}
