package org.pgporter.support;

import com.ongres.scram.common.exception.ScramException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.pgporter.protocol.message.Authentication;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.WireMessage;

/// A client that keeps what a server says byte by byte and in its order, whatever it is, and expects nothing: for
/// comparing servers. What it sends are bytes, in writes as the caller cuts them.
///
/// Who waits longer than ten seconds gets an [AssertionError]. For one thread.
public final class RecordingClient implements AutoCloseable {
    /// More than this is written by another thread, so that a server that waits for its reader cannot wait for ever.
    private static final int WRITTEN_AT_ONCE = 32 * 1024;

    private final SocketAddress address;
    private final WireSocket socket;
    private final Transcript transcript;
    private final List<Frame> greeting = new ArrayList<>();
    private Optional<BackendKeyData> key = Optional.empty();
    private CompletableFuture<?> writing = CompletableFuture.completedFuture(null);
    private boolean letIn;

    /// A message of a server as it came.
    ///
    /// @param body without type and length
    public record Frame(byte type, Bytes body) {
        private static Frame of(WireSocket.Frame frame) {
            return new Frame(frame.type(), Bytes.of(WireSocket.bytesOf(frame.body())));
        }
    }

    private RecordingClient(String host, int port) {
        address = new InetSocketAddress(host, port);
        transcript = new Transcript("recording client of " + address);
        socket = open();
    }

    /// Connects and logs in, if the server lets it.
    ///
    /// @param parameters further ones of the StartupMessage
    public static RecordingClient logsIn(
            String host, int port, String user, String password, String database, Map<String, String> parameters) {
        var client = new RecordingClient(host, port);
        var all = new LinkedHashMap<String, String>();
        all.put("user", user);
        all.put("database", database);
        all.putAll(parameters);
        client.login(new StartupMessage(ProtocolVersion.V3_0, all), new PasswordAnswers(user, password));
        return client;
    }

    private WireSocket open() {
        try {
            return new WireSocket(SocketChannel.open(address), transcript);
        } catch (IOException e) {
            throw new UncheckedIOException("could not connect to " + address, e);
        }
    }

    private void login(StartupMessage startup, PasswordAnswers answers) {
        socket.write(WireSocket.encoded(startup));
        while (true) {
            var received = socket.readTyped("the login to go on");
            if (received.isEmpty()) {
                return;
            }
            var frame = received.get();
            if (frame.type() == Authentication.TYPE) {
                try {
                    answers.to(Authentication.decode(frame.body())).ifPresent(it -> socket.write(encoded(it)));
                } catch (ScramException e) {
                    throw transcript.failure("the server failed the SCRAM exchange: " + e.getMessage(), e);
                }
                continue;
            }
            if (frame.type() == BackendKeyData.TYPE) {
                key = Optional.of(BackendKeyData.decode(frame.body().duplicate()));
            }
            greeting.add(Frame.of(frame));
            transcript.line(Transcript.BACKEND, textOf(frame.type()));
            if (frame.type() == ReadyForQuery.TYPE || frame.type() == ErrorResponse.TYPE) {
                letIn = frame.type() == ReadyForQuery.TYPE;
                return;
            }
        }
    }

    private static String textOf(byte type) {
        return type == ParameterStatus.TYPE ? "ParameterStatus" : String.valueOf((char) type);
    }

    /// The bytes of messages, one after the other.
    public static byte[] encoded(WireMessage... messages) {
        return WireSocket.encoded(messages);
    }

    /// What the server said at the login, but for what authentication itself needs.
    public List<Frame> greeting() {
        return List.copyOf(greeting);
    }

    /// Whether the login ended with ReadyForQuery.
    public boolean letIn() {
        return letIn;
    }

    /// Sends each element in a write of its own. A server that has closed does not hear it, which is no failure:
    /// [#next(String)] tells.
    public void sends(List<byte[]> writes) {
        awaitWritten();
        transcript.line(
                Transcript.FRONTEND, writes.stream().mapToInt(it -> it.length).sum() + " bytes");
        if (writes.stream().mapToInt(it -> it.length).sum() <= WRITTEN_AT_ONCE) {
            writeAll(writes);
            return;
        }
        var written = new CompletableFuture<Void>();
        writing = written;
        Thread.ofVirtual().start(() -> {
            try {
                writeAll(writes);
                written.complete(null);
            } catch (AssertionError e) {
                written.completeExceptionally(e);
            }
        });
    }

    private void writeAll(List<byte[]> writes) {
        for (var write : writes) {
            if (!socket.writeIfOpen(write)) {
                return;
            }
        }
    }

    private void awaitWritten() {
        try {
            writing.join();
        } catch (CompletionException e) {
            throw transcript.failure("could not write what was to be sent before", e);
        }
    }

    /// The next message; empty when the server has closed.
    public Optional<Frame> next(String awaited) {
        var frame = socket.readTyped(awaited);
        transcript.line(
                Transcript.BACKEND,
                frame.map(it -> String.valueOf((char) it.type())).orElse("closed"));
        return frame.map(Frame::of);
    }

    /// Sends a CancelRequest for this session on a connection of its own and waits until the server closes that.
    public void cancels() {
        var known = key.orElseThrow(() -> transcript.failure("the server has sent no BackendKeyData"));
        try (var other = open()) {
            other.write(WireSocket.encoded(new CancelRequest(known.processId(), known.secret())));
            if (other.readToEnd("the server to close the cancel connection").length > 0) {
                throw transcript.failure("a CancelRequest is not answered, but was");
            }
        }
    }

    /// Closes the connection without a word. What is still being written is lost.
    @Override
    public void close() {
        socket.close();
    }
}
