package org.pgporter.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;

/// A pooler that runs as one process and serves the databases of [Workload.PoolSize] on [#HOST].
///
/// @param name what the table calls it
/// @param preparedInTransactions whether a statement prepared in one transaction can be used in the next
record Pooler(String name, Program program, int port, boolean preparedInTransactions) implements AutoCloseable {
    static final String HOST = "127.0.0.1";

    private static final Duration STARTS_WITHIN = Duration.ofSeconds(20);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

    /// Whether the pooler can do this work at all.
    boolean serves(Workload workload) {
        return preparedInTransactions || workload.protocol() != Workload.Protocol.PREPARED;
    }

    /// Returns when somebody listens on the port.
    ///
    /// @throws BenchFailure with the words of the process when it ends instead
    Pooler started() {
        var deadline = System.nanoTime() + STARTS_WITHIN.toNanos();
        while (!accepts()) {
            if (program.endsWithin(LOOK_AGAIN)) {
                throw program.failure("ended at once");
            }
            if (System.nanoTime() > deadline) {
                throw program.failure("does not listen on port " + port);
            }
        }
        return this;
    }

    /// A port that nobody uses just now.
    static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new BenchFailure("there is no free port", e);
        }
    }

    private boolean accepts() {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(HOST, port), 1000);
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    @Override
    public void close() {
        program.close();
    }
}
