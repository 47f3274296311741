package org.pgporter.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;

/// A contender that runs, on [#HOST].
///
/// @param program its process; none for PostgreSQL itself, which is not ours to stop here
/// @param database the database to name where all pools are one; empty where a pool's name is its database
record Pooler(Contender contender, Optional<Program> program, int port, Optional<String> database)
        implements AutoCloseable {
    static final String HOST = "127.0.0.1";

    private static final Duration STARTS_WITHIN = Duration.ofSeconds(30);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(2);

    static Pooler of(Contender contender, Program program, int port) {
        return new Pooler(contender, Optional.of(program), port, Optional.empty());
    }

    static Pooler direct(Contender contender, Database database) {
        return new Pooler(contender, Optional.empty(), database.port(), Optional.of(Database.NAME));
    }

    /// What a client of this pool says is its database.
    String databaseOf(String pool) {
        return database.orElse(pool);
    }

    /// What the pooler has used until now; empty where there is none.
    Optional<ProcessUsage> usage() {
        return program.map(it -> ProcessUsage.of(it.pid()));
    }

    /// Returns when somebody listens on the port.
    ///
    /// @throws BenchFailure with the words of the process when it ends instead
    Pooler started() {
        var deadline = System.nanoTime() + STARTS_WITHIN.toNanos();
        while (!accepts()) {
            if (program.filter(it -> it.endsWithin(LOOK_AGAIN)).isPresent()) {
                throw program.orElseThrow().failure("ended at once");
            }
            if (System.nanoTime() > deadline) {
                close();
                throw program.orElseThrow().failure("does not listen on port " + port);
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
        program.ifPresent(Program::close);
    }
}
