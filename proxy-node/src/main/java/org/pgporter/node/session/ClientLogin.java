package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.pgporter.auth.Identity;
import org.pgporter.config.ConsoleOptions;
import org.pgporter.config.PoolSettings;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.login.LoginRequest;
import org.pgporter.node.pool.Pool;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.session.ClientSession.CancelForwarded;
import org.pgporter.node.session.ClientSession.CancelRequested;
import org.pgporter.node.session.ClientSession.ClientGone;
import org.pgporter.node.session.ClientSession.Command;
import org.pgporter.node.session.ClientSession.Decided;
import org.pgporter.node.session.ClientSession.Drain;
import org.pgporter.node.session.ClientSession.FromBackend;
import org.pgporter.node.session.ClientSession.FromClient;
import org.pgporter.node.session.ClientSession.FromPool;
import org.pgporter.node.session.ClientSession.LoginTimedOut;
import org.pgporter.node.session.ClientSession.Stepped;
import org.pgporter.node.session.ClientView.Activity;
import org.pgporter.node.transport.Ack;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.NegotiateProtocolVersion;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupOptions;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.stream.Framed;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The part of a session before its first ReadyForQuery.
///
/// ```
///  awaitingStartup ── CancelRequest ──► cancelling ──► closed
///        │ StartupMessage
///        ▼
///  ClientAuthentication ──► joining ──► (confirming) ──► ClientSession.idle
/// ```
///
/// A message of the client is acknowledged only when the next one may come, so nothing is read ahead of a
/// decision. An unknown user walks the same road as a wrong password, and whether a database exists is told
/// only to who has proved who he is.
final class ClientLogin {
    private static final Logger LOG = LoggerFactory.getLogger(ClientLogin.class);

    /// Parameters of the startup packet that are no run-time parameters.
    private static final Set<String> NO_SETTINGS = Set.of("user", "database", "options", Replication.PARAMETER);

    /// What PostgreSQL takes as the name of a parameter (`valid_custom_variable_name` in `guc.c`, without the
    /// high bytes).
    private static final Pattern PARAMETER_NAME =
            Pattern.compile("[A-Za-z_][A-Za-z0-9_$]*(\\.[A-Za-z_][A-Za-z0-9_$]*)*");

    private final ClientSession session;
    private final SessionServices services;

    /// The parameters for a walsender of this session's own, if it asked for one.
    private Optional<Map<String, String>> walsender = Optional.empty();

    private boolean serverIsClear = true;

    /// The node is full, and the client is one of those for whom places are kept.
    private boolean needsReserve;

    ClientLogin(ClientSession session) {
        this.session = session;
        this.services = session.services();
    }

    // ---- startup

    Behavior<Command> awaitingStartup() {
        return awaitingStartup(false);
    }

    /// Many a client sends its CancelRequest and closes without waiting for the end, so the request may
    /// come after the news that the client is gone.
    private Behavior<Command> awaitingStartup(boolean gone) {
        return session.state(Activity.LOGIN, command -> switch (command) {
            case FromClient(Framed.Startup(var packet, var _), var ack) ->
                gone && !(packet instanceof CancelRequest) ? session.closeQuietly() : onStartup(packet, ack);
            case ClientGone(var everythingRead) -> everythingRead ? session.closeQuietly() : awaitingStartup(true);
            case FromClient(Framed.Messages(var batch), var _) -> {
                batch.release();
                yield session.fail(ProxyError.protocolViolation("message before the startup packet"));
            }
            default -> common(command);
        });
    }

    private Behavior<Command> onStartup(StartupPacket packet, Ack ack) {
        return switch (packet) {
            case StartupMessage message -> onStartupMessage(message, ack);
            case CancelRequest request -> onCancelRequest(request);
            case SslRequest _, GssEncRequest _ ->
                session.fail(ProxyError.protocolViolation("encryption request out of turn"));
        };
    }

    private Behavior<Command> onCancelRequest(CancelRequest request) {
        Optional<ActorRef<Command>> target = services.cancelKeys().find(request.processId(), request.key());
        if (target.isEmpty()) {
            return session.closeQuietly();
        }
        // A session that ends just now does not read its messages any more: then there is nothing to cancel.
        session.context().watchWith(target.get(), new CancelForwarded());
        target.get()
                .tell(new CancelRequested(session.context()
                        .messageAdapter(BackendConnection.CancelDone.class, _ -> new CancelForwarded())));
        return session.state(Activity.CANCEL, command -> switch (command) {
            case CancelForwarded _, LoginTimedOut _ -> session.closeQuietly();
            case ClientGone _ -> Behaviors.same(); // the request stands all the same
            default -> common(command);
        });
    }

    private Behavior<Command> onStartupMessage(StartupMessage message, Ack ack) {
        if (services.draining().get() && !asksForConsole(message)) {
            return session.fail(ProxyError.shuttingDown());
        }
        Optional<Replication> asked = Replication.askedForBy(message);
        if (asked.isEmpty()) {
            return session.fail(
                    ProxyError.invalidReplication(message.parameters().getOrDefault(Replication.PARAMETER, "")));
        }
        Optional<String> user = message.user();
        if (user.isEmpty()) {
            return session.fail(ProxyError.noUserName());
        }
        WantedParameters wanted;
        try {
            wanted = wantedParameters(message);
        } catch (ProtocolViolation violation) {
            return session.fail(ProxyError.protocolViolation(violation));
        }
        ConnectionLimits.Place place = services.limits().ofNode();
        if (place.granted()) {
            session.holds(place);
        } else if (asksForConsole(message)
                && services.config().general().console().isAdmin(user.get())) {
            needsReserve = true; // it counts among the strangers until it has proved who it is
        } else {
            return session.fail(ProxyError.tooManyClients());
        }
        ProtocolVersion version = negotiate(message);
        introduce(asked.get(), message, user.get(), version, wanted);
        return new ClientAuthentication(session, this::common, this::authenticated)
                .begin(request(asked.get(), message, user.get()), ack);
    }

    private static boolean asksForConsole(StartupMessage message) {
        return message.database().filter(ConsoleOptions::isConsole).isPresent();
    }

    private void introduce(
            Replication asked, StartupMessage message, String user, ProtocolVersion version, WantedParameters wanted) {
        String named = message.database().orElse(user);
        String database = asked.databaseFor(named, user, services.config());
        if (asked == Replication.NONE) {
            session.introduced(user, database, version, wanted);
            return;
        }
        // Nothing has to be set afterwards: the walsender is started with these.
        Map<String, String> startup = new LinkedHashMap<>(wanted.asMap());
        startup.put(Replication.PARAMETER, message.parameters().getOrDefault(Replication.PARAMETER, ""));
        walsender = Optional.of(startup);
        session.replicates(message.parameters().getOrDefault(Replication.PARAMETER, ""));
        serverIsClear = asked.isClear(named, user, services.config());
        session.introduced(user, database, version, WantedParameters.none());
    }

    private LoginRequest request(Replication asked, StartupMessage message, String user) {
        return new LoginRequest(
                user,
                asked == Replication.PHYSICAL
                        ? session.database()
                        : message.database().orElse(user),
                asked == Replication.PHYSICAL,
                session.remote(),
                session.client().tls(),
                session.client().peerUser());
    }

    /// PostgreSQL answers a minor version or a protocol option that it does not know with one message, and
    /// goes on with what it knows.
    private ProtocolVersion negotiate(StartupMessage message) {
        List<String> unknown = message.protocolOptions();
        boolean newer = message.version().compareTo(ProtocolVersion.V3_2) > 0;
        ProtocolVersion spoken = newer ? ProtocolVersion.V3_2 : message.version();
        if (newer || !unknown.isEmpty()) {
            session.client().send(new NegotiateProtocolVersion(spoken, unknown));
        }
        return spoken;
    }

    private static WantedParameters wantedParameters(StartupMessage message) {
        Map<String, String> wanted = new LinkedHashMap<>(StartupOptions.parse(message.options()));
        message.parameters().forEach((name, value) -> {
            if (!NO_SETTINGS.contains(name) && !StartupMessage.isProtocolOption(name)) {
                wanted.put(name, value);
            }
        });
        for (String name : wanted.keySet()) {
            if (!PARAMETER_NAME.matcher(name).matches()) {
                throw new ProtocolViolation(
                        org.pgporter.protocol.message.SqlState.UNDEFINED_OBJECT,
                        "unrecognized configuration parameter \"" + name + "\"");
            }
        }
        return WantedParameters.of(wanted);
    }

    // ---- joining the pool

    private Behavior<Command> authenticated(Identity identity, Ack ack) {
        session.isKnownAs(identity);
        if (ConsoleOptions.isConsole(session.database()) && walsender.isEmpty()) {
            return admitted(ack);
        }
        Optional<PoolSettings> settings = services.directory().settings(session.database(), identity);
        if (settings.isEmpty()) {
            return session.fail(ProxyError.noSuchDatabase(session.database()));
        }
        if (!serverIsClear) {
            return session.fail(ProxyError.replicationFromWhichServer(session.user()));
        }
        // A walsender need not understand the SQL by which a backend says who it is.
        boolean bound = identity.grant()
                .filter(grant -> grant.readOnly() || grant.role().isPresent())
                .isPresent();
        if (walsender.isPresent() && bound) {
            return session.fail(ProxyError.noReplication(session.user()));
        }
        ConnectionLimits.Place ofDatabase =
                services.limits().ofDatabase(session.database(), settings.get().maxDatabaseClients());
        if (!ofDatabase.granted()) {
            return session.fail(ProxyError.tooManyForDatabase(session.database()));
        }
        session.holds(ofDatabase);
        ConnectionLimits.Place ofUser = services.limits()
                .ofUser(session.database(), session.user(), settings.get().maxUserClients());
        if (!ofUser.granted()) {
            return session.fail(ProxyError.tooManyForUser(session.user()));
        }
        session.holds(ofUser);
        ActorRef<Pool.JoinReply> replies = session.context().messageAdapter(Pool.JoinReply.class, FromPool::new);
        services.pools()
                .tell(
                        walsender.isPresent()
                                ? new PoolRegistry.JoinAlone(
                                        settings.get(),
                                        session.loop(),
                                        identity.proof(),
                                        walsender.get(),
                                        session.context().getSelf(),
                                        replies)
                                : new PoolRegistry.Join(
                                        settings.get(),
                                        session.loop(),
                                        identity.proof(),
                                        session.context().getSelf(),
                                        replies));
        return session.state(Activity.LOGIN, command -> switch (command) {
            case FromPool(Pool.Joined joined) -> joined(settings.get(), joined, ack);
            case FromPool(Pool.JoinFailed(var error)) -> {
                services.directory().refusedByServer(session.database(), identity, error.sqlState());
                yield fatal(error);
            }
            default -> common(command);
        });
    }

    /// The client wants to talk to the node itself.
    private Behavior<Command> admitted(Ack ack) {
        Optional<ConsoleAccess.Talk> talk = services.console().admit(session.database(), session.user());
        if (talk.isEmpty()) {
            session.logRejection("neither of admin_users nor of stats_users");
            return session.fail(ProxyError.notAllowedInConsole(session.database()));
        }
        if (needsReserve) {
            boolean still = services.config().general().console().isAdmin(session.user());
            ConnectionLimits.Place reserved = still ? services.limits().ofReserve() : ConnectionLimits.Place.NONE;
            if (!reserved.granted()) {
                return session.fail(ProxyError.tooManyClients());
            }
            session.holds(reserved);
        }
        ByteBuf out = session.client().buffer();
        talk.get().greet(out);
        issueKey().encodeTo(out);
        new ReadyForQuery(TransactionStatus.IDLE).encodeTo(out);
        session.client().send(out);
        Behavior<Command> next = session.loggedIn(talk.get());
        ack.acknowledge();
        return next;
    }

    private BackendKeyData issueKey() {
        BackendKeyData key = services.cancelKeys().issue(session.version(), session.self());
        session.canBeCancelledBy(key.processId());
        return key;
    }

    private Behavior<Command> joined(PoolSettings settings, Pool.Joined joined, Ack ack) {
        if (walsender.isEmpty() && !session.parameters().mustBeConfirmed(joined.parameters(), joined.accepted())) {
            return complete(settings, joined, Optional.empty(), ack);
        }
        LeaseId lease = LeaseId.next();
        joined.pool()
                .tell(new Pool.Acquire(
                        lease, session.leaseEvents(), session.parameters().wanted(), Optional.empty()));
        return confirming(settings, joined, lease, ack);
    }

    /// A backend says what it makes of the values in the startup packet, as PostgreSQL does at this moment. A
    /// walsender is the session's from now on.
    private Behavior<Command> confirming(PoolSettings settings, Pool.Joined joined, LeaseId lease, Ack ack) {
        return session.state(Activity.LOGIN, command -> switch (command) {
            case FromBackend(LeaseEvent.Attached attached) -> {
                if (walsender.isPresent()) {
                    yield complete(Replication.alone(settings), joined, Optional.of(attached), ack);
                }
                attached.backend().tell(new BackendConnection.Return(lease, BackendConnection.Ending.FINISHED));
                yield complete(settings, joined, Optional.empty(), ack);
            }
            case FromBackend(LeaseEvent.Refused(var _, var error)) -> fatal(error);
            case FromBackend(LeaseEvent.Unserved(var _, var _, var error)) -> fatal(error);
            case FromBackend(LeaseEvent.Lost _) -> session.fail(ProxyError.backendLost());
            case FromBackend(LeaseEvent.Replies replies) -> {
                replies.releaseBytes();
                yield Behaviors.same();
            }
            case ClientGone _ -> session.leave(joined.pool(), lease, Optional.empty());
            case LoginTimedOut _ -> session.leave(joined.pool(), lease, Optional.of(ProxyError.loginTimeout()));
            case Drain _ -> session.leave(joined.pool(), lease, Optional.of(ProxyError.terminatedByShutdown()));
            case ClientSession.Kill(var why) -> session.leave(joined.pool(), lease, Optional.of(why));
            default -> common(command);
        });
    }

    private Behavior<Command> complete(
            PoolSettings settings, Pool.Joined joined, Optional<LeaseEvent.Attached> kept, Ack ack) {
        BackendKeyData key = issueKey();
        ByteBuf out = session.client().buffer();
        session.parameters()
                .greeting(joined.parameters(), joined.accepted())
                .forEach(parameter -> parameter.encodeTo(out));
        key.encodeTo(out);
        new ReadyForQuery(TransactionStatus.IDLE).encodeTo(out);
        session.client().send(out);
        Behavior<Command> next = session.loggedIn(settings, joined, kept);
        ack.acknowledge();
        return next;
    }

    // ---- the same everywhere

    private Behavior<Command> fatal(ErrorResponse error) {
        session.logRejection(error.message());
        return session.fail(ProxyError.withSeverity(error, Severity.FATAL));
    }

    private Behavior<Command> common(Command command) {
        return switch (command) {
            case FromClient(Framed.Violated(var violation), var _) -> {
                if (violation.quiet()) {
                    LOG.atDebug()
                            .addKeyValue(LogKeys.REMOTE, session.remote())
                            .addKeyValue(LogKeys.REASON, violation.getMessage())
                            .log("connection refused");
                    yield session.closeQuietly();
                }
                session.logRejection(violation.getMessage());
                yield session.fail(ProxyError.protocolViolation(violation));
            }
            case FromClient(Framed.Startup _, var _) ->
                session.fail(ProxyError.protocolViolation("client re-sent startup packet"));
            case FromClient(Framed.Messages(var batch), var _) -> {
                batch.release();
                yield session.fail(ProxyError.protocolViolation("message out of turn during login"));
            }
            case ClientGone _ -> session.closeQuietly();
            case LoginTimedOut _ -> session.timedOutInLogin();
            case Drain _ ->
                ConsoleOptions.isConsole(session.database())
                        ? Behaviors.same()
                        : session.fail(ProxyError.shuttingDown());
            case ClientSession.Kill(var why) -> session.fail(why);
            case CancelRequested(var done) -> {
                done.tell(new BackendConnection.CancelDone());
                yield Behaviors.same();
            }
            case Decided _,
                    Stepped _,
                    FromPool _,
                    FromBackend _,
                    CancelForwarded _,
                    ClientSession.WakeUp _,
                    ClientSession.TokenEnds _,
                    ClientSession.Describe _,
                    ClientSession.KillIfOf _,
                    ClientSession.ConsoleAnswers _ -> Behaviors.same();
        };
    }
}
