package org.pgporter.support;

import com.ongres.scram.common.exception.ScramException;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.pgporter.protocol.message.Authentication;
import org.pgporter.protocol.message.AuthenticationOk;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.CopyFail;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.NegotiateProtocolVersion;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.protocol.message.TransactionStatus;

/// A client that speaks the wire's verbs to a server or to PgPorter.
///
/// ```java
/// try (var client = RawClient.connects("127.0.0.1", port)) {
///     client.logsIn("ann", "secret", "shop");
///     client.sendsQuery("select 1");
///     client.expectsRow("1");
///     client.expectsCommandComplete("SELECT 1");
///     client.expectsReadyForQuery(IDLE);
/// }
/// ```
///
/// It reads only while it expects something. What may come at any time ([ParameterStatus], [NoticeResponse],
/// [NotificationResponse]) is laid aside and can be expected when it matters. Whatever is not as expected, or
/// takes longer than ten seconds, is an [AssertionError] that shows the whole conversation. SQL's null appears
/// as the text `null`. Not for several threads, except that one may send while another expects.
public final class RawClient implements AutoCloseable {
    private final SocketAddress address;
    private final WireSocket socket;
    private final Transcript transcript;
    private final BackendInbox inbox;
    private ProtocolVersion version = ProtocolVersion.V3_0;

    private RawClient(SocketAddress address) {
        this.address = address;
        this.transcript = new Transcript("client of " + address);
        this.socket = open(address, transcript);
        this.inbox = new BackendInbox(socket, transcript);
    }

    public static RawClient connects(String host, int port) {
        return new RawClient(new InetSocketAddress(host, port));
    }

    /// Connects to the Unix socket `.s.PGSQL.<port>` in the folder.
    public static RawClient connects(Path socketDirectory, int port) {
        return new RawClient(UnixDomainSocketAddress.of(socketDirectory.resolve(".s.PGSQL." + port)));
    }

    public static RawClient connects(TestPostgres postgres) {
        return connects(postgres.host(), postgres.port());
    }

    public static RawClient connects(ScriptedServer server) {
        return connects(server.host(), server.port());
    }

    private static WireSocket open(SocketAddress address, Transcript transcript) {
        try {
            return new WireSocket(SocketChannel.open(address), transcript);
        } catch (IOException e) {
            throw new UncheckedIOException("could not connect to " + address, e);
        }
    }

    // Starting up

    /// The version that startup packets ask for from now on; 3.0 unless said otherwise.
    public RawClient speaks(ProtocolVersion wanted) {
        version = wanted;
        return this;
    }

    /// Sends a StartupMessage.
    ///
    /// @param parameters names and values in turn, for example `"application_name", "test"`
    public RawClient sendsStartup(String user, String database, String... parameters) {
        var all = new LinkedHashMap<String, String>();
        all.put("user", user);
        all.put("database", database);
        for (int i = 0; i < parameters.length; i += 2) {
            all.put(parameters[i], parameters[i + 1]);
        }
        return sends(new StartupMessage(version, all));
    }

    public RawClient sends(StartupPacket packet) {
        transcript.message(Transcript.FRONTEND, packet);
        socket.write(WireSocket.encoded(packet));
        return this;
    }

    /// Sends startup packets in one write.
    public RawClient sendsPackets(StartupPacket... packets) {
        for (var packet : packets) {
            transcript.message(Transcript.FRONTEND, packet);
        }
        socket.write(WireSocket.encoded(packets));
        return this;
    }

    /// As [#sendsStartup], to a server that may have closed already.
    public RawClient sendsStartupIfOpen(String user, String database) {
        var packet = new StartupMessage(version, Map.of("user", user, "database", database));
        transcript.message(Transcript.FRONTEND, packet);
        socket.writeIfOpen(WireSocket.encoded(packet));
        return this;
    }

    /// Sends an SSLRequest and returns the byte that answers it: `S` or `N`.
    public char sendsSslRequest() {
        sends(new SslRequest());
        return expectsByte();
    }

    /// Sends a GSSENCRequest and returns the byte that answers it: `G` or `N`.
    public char sendsGssEncRequest() {
        sends(new GssEncRequest());
        return expectsByte();
    }

    /// Asks for TLS, shakes hands and goes on encrypted.
    public RawClient encrypts(SSLContext context) {
        var answer = sendsSslRequest();
        if (answer != 'S') {
            throw transcript.failure("expected TLS, but the answer is '" + answer + "'");
        }
        return encryptsAtOnce(context.createSSLEngine());
    }

    /// Shakes hands as a client of TLS, without asking.
    ///
    /// @throws AssertionError when that fails
    public RawClient encryptsAtOnce(SSLEngine engine) {
        engine.setUseClientMode(true);
        socket.startTls(engine);
        return this;
    }

    /// Says that TLS ends here (`close_notify`), and leaves the socket open.
    public RawClient endsTls() {
        transcript.line(Transcript.FRONTEND, "close_notify");
        socket.endTls();
        return this;
    }

    private char expectsByte() {
        var answer = (char) socket.readByte("one byte")
                .orElseThrow(() -> transcript.failure("expected one byte, but the server closed the connection"))
                .byteValue();
        transcript.line(Transcript.BACKEND, "'" + answer + "'");
        return answer;
    }

    /// Sends the startup packet, answers every request for a password, and reads up to the first ReadyForQuery.
    public RawClient logsIn(String user, String password, String database, String... parameters) {
        sendsStartup(user, database, parameters);
        return logsInAfterStartup(user, password);
    }

    /// As [#logsIn(String, String, String, String...)], where the startup packet was sent already.
    public RawClient logsInAfterStartup(String user, String password) {
        answersLogin(user, password).ifPresent(error -> {
            throw transcript.failure("expected to log in, but: " + MessageText.of(error));
        });
        return this;
    }

    /// As [#logsIn(String, String, String, String...)], where the server says no.
    public ErrorResponse logsInExpectingError(String user, String password, String database, String... parameters) {
        sendsStartup(user, database, parameters);
        return answersLogin(user, password)
                .orElseThrow(() -> transcript.failure("expected an error, but " + user + " was let in"));
    }

    /// As [#logsIn(String, String, String, String...)], where either may happen.
    ///
    /// @return the error if the server said no
    public Optional<ErrorResponse> triesToLogIn(String user, String password, String database, String... parameters) {
        sendsStartup(user, database, parameters);
        return answersLogin(user, password);
    }

    /// Answers until the first ReadyForQuery, or the error that ends the login.
    private Optional<ErrorResponse> answersLogin(String user, String password) {
        var answers = new PasswordAnswers(user, password);
        while (true) {
            switch (next("the login to go on")) {
                case AuthenticationOk _ -> {}
                case Authentication request -> {
                    try {
                        answers.to(request).ifPresent(this::sends);
                    } catch (ScramException e) {
                        throw transcript.failure("the server failed the SCRAM exchange: " + e.getMessage(), e);
                    }
                }
                case BackendKeyData _, NegotiateProtocolVersion _ -> {}
                case ErrorResponse error -> {
                    return Optional.of(error);
                }
                case ReadyForQuery _ -> {
                    return Optional.empty();
                }
                case BackendMessage other ->
                    throw transcript.failure("unexpected while logging in: " + MessageText.of(other));
            }
        }
    }

    /// The latest value of every parameter that the server has reported, by the name it reported.
    public Map<String, String> parameterStatus() {
        return inbox.parameterStatus();
    }

    /// What the server gave to cancel queries with.
    public BackendKeyData backendKey() {
        return inbox.backendKey().orElseThrow(() -> transcript.failure("the server has sent no BackendKeyData"));
    }

    // Sending

    /// Sends the messages in one write.
    public RawClient sends(FrontendMessage... messages) {
        for (var message : messages) {
            transcript.message(Transcript.FRONTEND, message);
        }
        socket.write(WireSocket.encoded(messages));
        return this;
    }

    public RawClient sendsRaw(byte... bytes) {
        transcript.raw(Transcript.FRONTEND, bytes);
        socket.write(bytes);
        return this;
    }

    /// Sends the bytes in many small writes, without pauses.
    public RawClient sendsSlowly(byte[] bytes, int chunkSize) {
        transcript.raw(Transcript.FRONTEND, bytes);
        socket.writeSlowly(bytes, chunkSize);
        return this;
    }

    public RawClient sendsQuery(String sql) {
        return sends(new Query(sql));
    }

    /// @param parameterTypes oids; 0 or none lets the server decide
    public RawClient sendsParse(String statement, String sql, Integer... parameterTypes) {
        return sends(new Parse(statement, sql, List.of(parameterTypes)));
    }

    /// Binds values in text format and asks for results in text format.
    public RawClient sendsBind(String portal, String statement, String... values) {
        return sends(bind(portal, statement, values));
    }

    /// A Bind in text format, for [#sends(FrontendMessage...)].
    public static Bind bind(String portal, String statement, String... values) {
        var parameters =
                Stream.of(values).map(it -> Optional.of(Bytes.ofText(it))).toList();
        return new Bind(portal, statement, List.of(), parameters, List.of());
    }

    public RawClient sendsDescribe(Target target, String name) {
        return sends(new Describe(target, name));
    }

    /// Asks for all rows.
    public RawClient sendsExecute(String portal) {
        return sendsExecute(portal, 0);
    }

    public RawClient sendsExecute(String portal, int maxRows) {
        return sends(new Execute(portal, maxRows));
    }

    public RawClient sendsClose(Target target, String name) {
        return sends(new Close(target, name));
    }

    public RawClient sendsSync() {
        return sends(new Sync());
    }

    public RawClient sendsFlush() {
        return sends(new Flush());
    }

    public RawClient sendsCopyData(String text) {
        return sends(new CopyData(Bytes.ofText(text)));
    }

    public RawClient sendsCopyDone() {
        return sends(new CopyDone());
    }

    public RawClient sendsCopyFail(String reason) {
        return sends(new CopyFail(reason));
    }

    // Expecting

    /// The next message must be of this kind.
    public <T extends BackendMessage> T expects(Class<T> kind) {
        if (BackendInbox.laysAside(kind)) {
            return inbox.nextAside(kind);
        }
        var message = next(kind.getSimpleName());
        if (!kind.isInstance(message)) {
            throw transcript.failure("expected " + kind.getSimpleName() + ", got " + MessageText.of(message));
        }
        return kind.cast(message);
    }

    /// The next message must be this one.
    public <T extends BackendMessage> T expects(T expected) {
        var message = expects(kindOf(expected));
        if (!message.equals(expected)) {
            throw transcript.failure("expected " + MessageText.of(expected) + ", got " + MessageText.of(message));
        }
        return message;
    }

    @SuppressWarnings(
            "unchecked") // The class of a T is a Class<T> as long as T has no type parameters; no record here has.
    private static <T extends BackendMessage> Class<T> kindOf(T message) {
        return (Class<T>) message.getClass();
    }

    /// The types of a statement's parameters, as oids, from the next ParameterDescription.
    public List<Integer> expectsParameterDescription() {
        return inbox.nextParameterDescription();
    }

    public void expectsReadyForQuery(TransactionStatus status) {
        expects(new ReadyForQuery(status));
    }

    public ErrorResponse expectsError(String sqlState) {
        var error = expects(ErrorResponse.class);
        if (!error.sqlState().code().equals(sqlState)) {
            throw transcript.failure("expected an error " + sqlState + ", got " + MessageText.of(error));
        }
        return error;
    }

    /// The next message must be a row of these values, in text format.
    public void expectsRow(String... values) {
        var row = textOf(expects(DataRow.class));
        if (!row.equals(List.of(values))) {
            throw transcript.failure("expected the row " + List.of(values) + ", got " + row);
        }
    }

    public void expectsCommandComplete(String tag) {
        expects(new CommandComplete(tag));
    }

    /// The server must close now, with nothing more to say.
    public void expectsClosed() {
        inbox.nextIfAny("the server to close").ifPresent(message -> {
            throw transcript.failure("expected the server to close, got " + MessageText.of(message));
        });
    }

    /// The next message, whatever it is, but for those that are laid aside.
    public BackendMessage expectsAny() {
        return next("any message");
    }

    /// Reads so many bytes, whatever they are, and forgets them: for messages too large to keep. Only where
    /// nothing that was received before waits to be expected.
    public RawClient skips(long bytes) {
        transcript.line(Transcript.BACKEND, bytes + " bytes that nobody looks at");
        socket.skip(bytes, bytes + " bytes");
        return this;
    }

    /// Looks at the messages that come, and remembers none of them: for conversations too long to keep. Only where
    /// nothing that was received before waits to be expected.
    public RawClient reads(MessageReader reader) {
        transcript.line(Transcript.BACKEND, "messages that are read one by one and forgotten");
        boolean goesOn = true;
        while (goesOn) {
            var frame = socket.readTyped("the next message")
                    .orElseThrow(() -> transcript.failure("expected a message, but the server closed the connection"));
            goesOn = reader.goesOnAfter((char) frame.type(), frame.body());
        }
        return this;
    }

    /// Takes messages as they come, without a record for each.
    @FunctionalInterface
    public interface MessageReader {
        /// @return whether it wants another one
        boolean goesOnAfter(char type, ByteBuf body);
    }

    /// Runs a simple query and returns the rows of all its results, in the order they came.
    public List<List<String>> query(String sql) {
        sendsQuery(sql);
        var rows = new ArrayList<List<String>>();
        var error = readsToReadyForQuery(rows);
        if (error.isPresent()) {
            throw transcript.failure(sql + " failed: " + MessageText.of(error.get()));
        }
        return rows;
    }

    /// Runs a simple query that must fail, and reads up to ReadyForQuery if the session goes on.
    public ErrorResponse queryExpectingError(String sql) {
        sendsQuery(sql);
        return readsToReadyForQuery(new ArrayList<>())
                .orElseThrow(() -> transcript.failure("expected an error of " + sql));
    }

    /// Ends at ReadyForQuery, or at an error that ends the session.
    private Optional<ErrorResponse> readsToReadyForQuery(List<List<String>> rows) {
        Optional<ErrorResponse> error = Optional.empty();
        while (true) {
            switch (next("ReadyForQuery")) {
                case DataRow row -> rows.add(textOf(row));
                case ErrorResponse it -> {
                    error = Optional.of(it);
                    if (it.severity() != Severity.ERROR) {
                        return error;
                    }
                }
                case ReadyForQuery _ -> {
                    return error;
                }
                case BackendMessage _ -> {}
            }
        }
    }

    private static List<String> textOf(DataRow row) {
        return row.values().stream()
                .map(it -> it.map(Bytes::toText).orElse("null"))
                .toList();
    }

    private BackendMessage next(String awaited) {
        return inbox.next(awaited);
    }

    /// As [#expectsAny()]; empty when the server has closed.
    ///
    /// @throws AssertionError caused by an [IOException] when it has closed within a message
    public Optional<BackendMessage> expectsAnyOrEnd() {
        return inbox.nextIfAny("any message, or the end");
    }

    /// The notifications that have been laid aside so far and that nobody has expected, which are forgotten then.
    public List<NotificationResponse> notifications() {
        return inbox.takeNotifications();
    }

    // Leaving

    /// Sends a CancelRequest for this session on a connection of its own and waits until the server closes that.
    public void cancel() {
        var words = new Transcript("cancel request to " + address);
        try (var other = open(address, words)) {
            var request =
                    new CancelRequest(backendKey().processId(), backendKey().secret());
            words.message(Transcript.FRONTEND, request);
            other.write(WireSocket.encoded(request));
            var answer = other.readToEnd("the server to close the cancel connection");
            if (answer.length > 0) {
                words.raw(Transcript.BACKEND, answer);
                throw words.failure("a CancelRequest is not answered, but was");
            }
        }
    }

    /// Sends Terminate and closes.
    public void terminates() {
        sends(new Terminate());
        closes();
    }

    /// Closes the connection without a word.
    public void closes() {
        socket.close();
    }

    /// Tells the server that nothing more will come, and goes on reading.
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
