package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Sink;
import org.pgporter.auth.BackendProof;
import org.pgporter.auth.scram.ScramClientExchange;
import org.pgporter.cluster.PoolKey;
import org.pgporter.node.stats.Statistics;
import org.pgporter.node.tls.PoolTls;
import org.pgporter.node.tls.Securing;
import org.pgporter.node.tls.TlsSession;
import org.pgporter.node.transport.Connector;
import org.pgporter.node.transport.EventLoops;
import org.pgporter.node.transport.ReadAhead;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.stream.ServerFraming;

/// How backend connections come to be on one event loop, with what they log in, and whether with TLS.
public final class BackendOpening {
    private final ActorSystem<?> system;
    private final EventLoops loops;
    private final int loop;
    private final SaltedPasswordCache saltedPasswords;
    private final SecureRandom random;
    private final PoolTls tls;
    private final ServerPasswords passwords;
    private final Supplier<Optional<BackendProof>> proof;
    private final Counting counting;

    /// Where the connections of one pool are counted.
    ///
    /// @param pool whose they are
    public record Counting(Statistics statistics, PoolKey pool) {
        private Meter meter(int loop) {
            return new Meter(
                    statistics.of(pool, loop), state -> statistics.error(pool, state.code()), System::nanoTime);
        }
    }

    /// @param password of the role, where one is configured
    /// @param proof what a client has proved itself with, as it is known when a connection is opened
    public BackendOpening(
            ActorSystem<?> system,
            EventLoops loops,
            int loop,
            SaltedPasswordCache saltedPasswords,
            SecureRandom random,
            PoolTls tls,
            ServerPasswords passwords,
            Supplier<Optional<BackendProof>> proof,
            Counting counting) {
        this.system = system;
        this.loops = loops;
        this.loop = loop;
        this.saltedPasswords = saltedPasswords;
        this.random = random;
        this.tls = tls;
        this.passwords = passwords;
        this.proof = proof;
        this.counting = counting;
    }

    /// The same on another event loop.
    public BackendOpening on(int otherLoop) {
        return new BackendOpening(system, loops, otherLoop, saltedPasswords, random, tls, passwords, proof, counting);
    }

    /// Counts what is said on one connection.
    Meter meter() {
        return counting.meter(loop);
    }

    /// The index of the event loop.
    public int loop() {
        return loop;
    }

    /// Whether a login needs nothing more of a client: only then can connections be opened ahead of one.
    public boolean canLogIn() {
        return passwords.any() || proof.get().isPresent();
    }

    /// The dispatcher of the loop that the sockets live on; whoever uses them runs there.
    public String dispatcher() {
        return loops.dispatcher(loop);
    }

    CompletionStage<SocketHandle> connect(BackendSettings settings) {
        return connect(settings, tls.first(), settings.connectTimeout());
    }

    /// As [#connect], with TLS in any case or not at all.
    CompletionStage<SocketHandle> connectAgain(BackendSettings settings, boolean encrypted, Duration timeout) {
        return connect(settings, tls.like(encrypted), timeout);
    }

    private CompletionStage<SocketHandle> connect(BackendSettings settings, Securing security, Duration timeout) {
        return Connector.connect(loops, loop, settings.address(), settings.socketOptions(), security, timeout);
    }

    /// Whether the server may take with TLS what it has refused on this connection.
    boolean maySucceedEncrypted(SocketHandle socket, ErrorResponse refusal) {
        return tls.maySucceedEncrypted(socket.tls().isPresent(), refusal.sqlState());
    }

    /// It has.
    void succeededEncrypted() {
        tls.succeededEncrypted();
    }

    /// The stack of a backend connection, from the socket up.
    void read(SocketHandle socket, ReadAhead connection) {
        socket.bytes()
                .via(new ServerFraming())
                .to(connection.sink())
                .withAttributes(ActorAttributes.dispatcher(dispatcher()).and(Attributes.inputBuffer(1, 1)))
                .run(system);
    }

    /// @param session of TLS on the connection
    /// @param password which of the role's
    BackendLogin login(BackendSettings settings, Optional<TlsSession> session, ServerPasswords.Which password) {
        return new BackendLogin(settings, passwords.get(password), proof.get(), session, random);
    }

    ServerPasswords passwords() {
        return passwords;
    }

    /// Whether the server may let in with another password whom it has refused.
    boolean maySucceedWithOtherPassword(ErrorResponse refusal) {
        return passwords.two() && refusal.sqlState().equals(SqlState.INVALID_PASSWORD);
    }

    CompletionStage<byte[]> derive(ScramClientExchange.NeedsSaltedPassword derivation) {
        return saltedPasswords.derive(derivation);
    }

    /// Sends a CancelRequest on a connection of its own to where the backend is. Completes when the server
    /// has closed that connection: then the signal has been delivered, or there was nothing to deliver.
    ///
    /// @param encrypted as the connection is that it is for
    CompletionStage<Done> sendCancel(BackendSettings settings, BackendKeyData key, boolean encrypted) {
        return connect(settings, tls.like(encrypted), settings.connectTimeout()).thenCompose(socket -> {
            ByteBuf request = socket.allocator().buffer(16);
            new CancelRequest(key.processId(), key.secret()).encodeTo(request);
            socket.writeAndFlush(request);
            return socket.bytes()
                    .withAttributes(ActorAttributes.dispatcher(dispatcher()))
                    .runWith(Sink.<ByteBuf>foreach(ByteBuf::release), system)
                    .toCompletableFuture()
                    .orTimeout(settings.connectTimeout().toMillis(), TimeUnit.MILLISECONDS)
                    .whenComplete((_, _) -> socket.close());
        });
    }
}
