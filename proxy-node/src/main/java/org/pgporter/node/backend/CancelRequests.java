package org.pgporter.node.backend;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorRef;
import org.pgporter.node.backend.BackendConnection.CancelDone;
import org.pgporter.node.backend.BackendConnection.CancelFinished;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.transport.ConnectFailure;
import org.pgporter.node.transport.RemoteAddress;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.protocol.message.BackendKeyData;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The cancel requests for one backend.
///
/// One at most is on its way to the server at a time. Those that come meanwhile share the one after it,
/// because what they were meant for may have begun after the first was sent. So a flood of them costs the
/// server one connection for each backend, and never takes the place of a login.
///
/// Mutable and confined to its backend connection.
final class CancelRequests {
    private static final Logger LOG = LoggerFactory.getLogger(CancelRequests.class);

    private final BackendConnection connection;
    private final Optional<BackendKeyData> key;
    private final BackendSettings server;
    private final boolean encrypted;

    private boolean onTheWay;
    private boolean inDoubt;
    private final List<ActorRef<CancelDone>> next = new ArrayList<>();

    /// @param socket the backend's: its server has the other end, whatever the configured name leads to by
    ///     then
    /// @param key empty: some servers send none and cannot cancel
    CancelRequests(BackendConnection connection, SocketHandle socket, Optional<BackendKeyData> key) {
        this.connection = connection;
        this.key = key;
        this.server = sameServer(connection.settings(), socket);
        this.encrypted = socket.tls().isPresent();
    }

    private static BackendSettings sameServer(BackendSettings settings, SocketHandle socket) {
        if (socket.remoteAddress() instanceof InetSocketAddress peer
                && peer.getPort() != 0
                && peer.getAddress() != null) {
            return settings.at(new RemoteAddress.Tcp(peer.getAddress().getHostAddress(), peer.getPort()));
        }
        return settings;
    }

    /// `done` is told when the server has closed the cancel connection, or it has turned out that there is
    /// nothing to cancel. [#sendNext] or [#nothingToCancel] has to follow.
    void request(ActorRef<CancelDone> done) {
        next.add(done);
    }

    /// The backend does what its client has asked for: what was requested is sent, unless another is on its
    /// way.
    void sendNext() {
        if (key.isEmpty()) {
            nothingToCancel();
        }
        if (onTheWay || next.isEmpty() || key.isEmpty()) {
            return;
        }
        List<ActorRef<CancelDone>> all = List.copyOf(next);
        next.clear();
        onTheWay = true;
        connection.context().pipeToSelf(connection.opening().sendCancel(server, key.get(), encrypted), (_, failure) -> {
            if (failure != null) {
                logFailure(failure);
            }
            return new CancelFinished(failure == null, all);
        });
    }

    /// Cancels what the backend still does for a client that has gone. Nobody waits for it.
    void sendForNobody() {
        key.ifPresent(known -> connection
                .opening()
                .sendCancel(server, known, encrypted)
                .whenComplete((_, failure) -> {
                    if (failure != null) {
                        logFailure(failure);
                    }
                }));
    }

    void finished(CancelFinished finished) {
        onTheWay = false;
        inDoubt |= !finished.delivered();
        finished.done().forEach(done -> done.tell(new CancelDone()));
    }

    /// The client has nothing to wait for any more: what was to be sent next is not.
    void nothingToCancel() {
        next.forEach(done -> done.tell(new CancelDone()));
        next.clear();
    }

    /// One has been sent, and the server has not closed its connection yet: it may hit whatever the backend
    /// does.
    boolean onTheWay() {
        return onTheWay;
    }

    /// One has been sent, and nobody knows whether it will arrive.
    boolean inDoubt() {
        return inDoubt;
    }

    /// Called from any thread.
    private void logFailure(Throwable failure) {
        String reason = switch (failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure) {
            case TimeoutException _ -> "the server did not close the cancel connection in time";
            case ConnectFailure unreachable -> String.valueOf(unreachable.getMessage());
            case Throwable other -> other.toString();
        };
        LOG.atWarn()
                .addKeyValue(LogKeys.SERVER, server.address())
                .addKeyValue(
                        LogKeys.BACKEND_PID, key.map(BackendKeyData::processId).orElse(0))
                .addKeyValue(LogKeys.REASON, reason)
                .log("cancel request could not be delivered");
    }
}
