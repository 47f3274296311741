package org.pgporter.support;

import static org.pgporter.support.BackendMessages.authenticationCleartextPassword;
import static org.pgporter.support.BackendMessages.authenticationMd5Password;
import static org.pgporter.support.BackendMessages.authenticationOk;
import static org.pgporter.support.BackendMessages.authenticationSasl;
import static org.pgporter.support.BackendMessages.readyForQuery;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.AuthenticationSaslFinal;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.protocol.message.TransactionStatus;

/// One connection to a [ScriptedServer], from the server's side.
///
/// It reads only while it expects something. Whatever is not as expected, or takes longer than ten seconds, is an
/// [AssertionError] that shows the whole conversation.
public final class ServerConversation implements AutoCloseable {
    private static final AtomicInteger NEXT_PROCESS_ID = new AtomicInteger(10_001);
    private static final int KEY_BYTES = 4;

    private final WireSocket socket;
    private final Transcript transcript;
    private BackendKeyData key;

    ServerConversation(WireSocket socket, Transcript transcript) {
        this.socket = socket;
        this.transcript = transcript;
        var secret = new byte[KEY_BYTES];
        ThreadLocalRandom.current().nextBytes(secret);
        key = new BackendKeyData(NEXT_PROCESS_ID.getAndIncrement(), Bytes.of(secret));
    }

    // Starting up

    /// Reads up to the StartupMessage and answers `N` to requests for encryption.
    public StartupMessage expectsStartup() {
        while (true) {
            switch (nextStartup("StartupMessage")) {
                case SslRequest _, GssEncRequest _ -> sendsRaw((byte) 'N');
                case StartupMessage it -> {
                    return it;
                }
                case CancelRequest it -> throw transcript.failure("expected StartupMessage, got " + MessageText.of(it));
            }
        }
    }

    /// The next thing must be a startup packet of this kind; nothing is answered.
    public <T extends StartupPacket> T expectsStartupPacket(Class<T> kind) {
        var packet = nextStartup(kind.getSimpleName());
        if (!kind.isInstance(packet)) {
            throw transcript.failure("expected " + kind.getSimpleName() + ", got " + MessageText.of(packet));
        }
        return kind.cast(packet);
    }

    public CancelRequest expectsCancelRequest() {
        return expectsStartupPacket(CancelRequest.class);
    }

    /// What [#acceptsLogin()] gives the client to cancel with, unless [#hasKey(int, byte...)] says otherwise.
    public BackendKeyData key() {
        return key;
    }

    /// @param secret 4 bytes; up to 256 in protocol 3.2
    public ServerConversation hasKey(int processId, byte... secret) {
        key = new BackendKeyData(processId, Bytes.of(secret));
        return this;
    }

    /// AuthenticationOk, the usual ParameterStatus messages, BackendKeyData and ReadyForQuery, in one write.
    public void acceptsLogin() {
        acceptsLogin(Map.of());
    }

    /// As [#acceptsLogin()], with these parameters besides or instead of the usual ones.
    public void acceptsLogin(Map<String, String> parameters) {
        var all = new LinkedHashMap<>(BackendMessages.usualParameters());
        all.putAll(parameters);
        List<BackendMessage> messages = new ArrayList<>();
        messages.add(authenticationOk());
        all.forEach((name, value) -> messages.add(new ParameterStatus(name, value)));
        messages.add(key);
        messages.add(readyForQuery(TransactionStatus.IDLE));
        sends(messages.toArray(BackendMessage[]::new));
    }

    /// Asks for the password in clear and returns it. The login still has to be accepted.
    public String asksForCleartext() {
        sends(authenticationCleartextPassword());
        return expects(PasswordMessage.class).password().toText();
    }

    /// Asks for an MD5 answer, which must be right. The login still has to be accepted.
    public void asksForMd5(String user, String password) {
        var salt = new byte[4];
        ThreadLocalRandom.current().nextBytes(salt);
        sends(authenticationMd5Password(salt));
        if (!expects(PasswordMessage.class).password().toText().equals(PasswordAnswers.md5(user, password, salt))) {
            throw transcript.failure("the MD5 answer of " + user + " is wrong");
        }
    }

    /// Does a whole SCRAM-SHA-256 exchange with 4096 iterations, in which the client must prove that it knows the
    /// password. The login still has to be accepted.
    public void asksForScram(String password) {
        asksForScram(password, 4096, true);
    }

    /// As [#asksForScram(String)], with another number of iterations and, if not honest, a wrong proof of the
    /// server.
    public void asksForScram(String password, int iterations, boolean honest) {
        var verifier = new ScramVerifier(password, iterations);
        sends(authenticationSasl("SCRAM-SHA-256"));
        var clientFirst = expects(SaslInitialResponse.class)
                .response()
                .orElseThrow(() -> transcript.failure("SCRAM begins with a response of the client"));
        sends(new AuthenticationSaslContinue(Bytes.ofText(verifier.serverFirst(clientFirst.toText()))));
        var clientFinal = expects(SaslResponse.class).response().toText();
        if (!verifier.verifies(clientFinal)) {
            throw transcript.failure("the client's proof is wrong");
        }
        sends(new AuthenticationSaslFinal(Bytes.ofText(verifier.serverFinal(clientFinal, honest))));
    }

    // Expecting

    /// The next message must be of this kind. A message `p` is read as the kind that is expected.
    public <T extends FrontendMessage> T expects(Class<T> kind) {
        var message = next(kind.getSimpleName(), kind)
                .orElseThrow(() -> transcript.failure(
                        "expected " + kind.getSimpleName() + ", but the client closed the connection"));
        if (!kind.isInstance(message)) {
            throw transcript.failure("expected " + kind.getSimpleName() + ", got " + MessageText.of(message));
        }
        return kind.cast(message);
    }

    /// The next message must be this one.
    public <T extends FrontendMessage> T expects(T expected) {
        var message = expects(kindOf(expected));
        if (!message.equals(expected)) {
            throw transcript.failure("expected " + MessageText.of(expected) + ", got " + MessageText.of(message));
        }
        return message;
    }

    @SuppressWarnings("unchecked") // No message record has type parameters.
    private static <T extends FrontendMessage> Class<T> kindOf(T message) {
        return (Class<T>) message.getClass();
    }

    public void expectsQuery(String sql) {
        expects(new Query(sql));
    }

    /// The next message, whatever it is; empty when the client has closed.
    public Optional<FrontendMessage> expectsAny() {
        return next("any message", FrontendMessage.class);
    }

    public Parse expectsParse(String statement, String sql) {
        var parse = expects(Parse.class);
        if (!parse.statement().equals(statement) || !parse.sql().equals(sql)) {
            throw transcript.failure("expected " + MessageText.of(new Parse(statement, sql, List.of())) + ", got "
                    + MessageText.of(parse));
        }
        return parse;
    }

    public Bind expectsBind(String portal, String statement) {
        var bind = expects(Bind.class);
        if (!bind.portal().equals(portal) || !bind.statement().equals(statement)) {
            throw transcript.failure(
                    "expected Bind \"" + portal + "\" \"" + statement + "\", got " + MessageText.of(bind));
        }
        return bind;
    }

    public void expectsDescribe(Target target, String name) {
        expects(new Describe(target, name));
    }

    public void expectsExecute(String portal) {
        expects(new Execute(portal, 0));
    }

    public void expectsSync() {
        expects(new Sync());
    }

    /// Reads so many bytes, whatever they are, and forgets them: for messages too large to keep.
    public void skips(long bytes) {
        transcript.line(Transcript.FRONTEND, bytes + " bytes that nobody looks at");
        socket.skip(bytes, bytes + " bytes");
    }

    /// Reads until the client closes or resets, whatever it sends.
    public void readsToEnd() {
        transcript.raw(Transcript.FRONTEND, socket.readToEnd("the client to close"));
    }

    public void expectsTerminate() {
        expects(new Terminate());
    }

    /// The client must close or reset the connection now, with nothing more to say.
    public void expectsClosed() {
        next("the client to close", FrontendMessage.class).ifPresent(message -> {
            throw transcript.failure("expected the client to close, got " + MessageText.of(message));
        });
    }

    private Optional<FrontendMessage> next(String awaited, Class<? extends FrontendMessage> kind) {
        var frame = socket.readTyped(awaited);
        if (frame.isEmpty()) {
            transcript.line(Transcript.FRONTEND, "closed");
            return Optional.empty();
        }
        try {
            var message = decoded(frame.get(), kind);
            transcript.message(Transcript.FRONTEND, message);
            return Optional.of(message);
        } catch (ProtocolViolation e) {
            throw transcript.failure(
                    "got a message '" + (char) frame.get().type() + "' that cannot be read: " + e.getMessage(), e);
        }
    }

    /// All messages `p` look alike: only who asked knows what the answer is.
    private static FrontendMessage decoded(WireSocket.Frame frame, Class<? extends FrontendMessage> kind) {
        if (frame.type() == PasswordMessage.TYPE && kind == PasswordMessage.class) {
            return PasswordMessage.decode(frame.body());
        }
        if (frame.type() == SaslInitialResponse.TYPE && kind == SaslInitialResponse.class) {
            return SaslInitialResponse.decode(frame.body());
        }
        return FrontendMessage.decode(frame.type(), frame.body());
    }

    private StartupPacket nextStartup(String awaited) {
        ByteBuf body = socket.readStartup(awaited)
                .orElseThrow(
                        () -> transcript.failure("expected " + awaited + ", but the client closed the connection"));
        try {
            var packet = StartupPacket.decode(body);
            transcript.message(Transcript.FRONTEND, packet);
            return packet;
        } catch (ProtocolViolation e) {
            throw transcript.failure("got a startup packet that cannot be read: " + e.getMessage(), e);
        }
    }

    // Sending

    /// Sends the messages in one write.
    public ServerConversation sends(BackendMessage... messages) {
        for (var message : messages) {
            transcript.message(Transcript.BACKEND, message);
        }
        socket.write(WireSocket.encoded(messages));
        return this;
    }

    public ServerConversation sendsRaw(byte... bytes) {
        transcript.raw(Transcript.BACKEND, bytes);
        socket.write(bytes);
        return this;
    }

    /// Sends the bytes in many small writes, without pauses.
    public ServerConversation sendsSlowly(byte[] bytes, int chunkSize) {
        transcript.raw(Transcript.BACKEND, bytes);
        socket.writeSlowly(bytes, chunkSize);
        return this;
    }

    /// The bytes of messages as they would be sent, for [#sendsRaw(byte...)] and [#sendsSlowly(byte[], int)].
    public static byte[] encoded(BackendMessage... messages) {
        return WireSocket.encoded(messages);
    }

    /// Closes the connection without a word.
    public void closes() {
        socket.close();
    }

    /// Tells the client that nothing more will come, and goes on reading.
    public void closesOutput() {
        socket.shutdownOutput();
    }

    /// Ends the connection with a TCP reset.
    public void resets() {
        socket.reset();
    }

    /// What was said so far, for messages of tests.
    public String transcript() {
        return transcript.toString();
    }

    @Override
    public void close() {
        closes();
    }
}
