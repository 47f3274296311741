package org.pgporter.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.pgporter.config.IoTransport;
import org.pgporter.config.LogFormat;
import org.pgporter.config.LogLevel;
import org.pgporter.node.NodeStartFailure;
import org.pgporter.node.ProxyNode;
import org.pgporter.node.logging.LogConfiguration;

/// Runs the demo from start to end. Whatever ends it (the tour, a signal, a failure), node and PostgreSQL are
/// stopped and all files removed.
final class Demo {
    private static final String HOST = "127.0.0.1";

    private final OptionalInt wantedPort;
    private final IoTransport io;
    private final LogLevel logLevel;
    private final PrintStream out;
    private final PrintStream err;

    /// @param wantedPort port of the node, 0 for any free one; empty: the usual one if it is free
    Demo(OptionalInt wantedPort, IoTransport io, LogLevel logLevel, PrintStream out, PrintStream err) {
        this.wantedPort = wantedPort;
        this.io = io;
        this.logLevel = logLevel;
        this.out = out;
        this.err = err;
    }

    /// Returns the exit code.
    ///
    /// @param once take the tour and end, instead of staying until a signal
    int run(boolean once) throws InterruptedException {
        LogConfiguration.apply(LogFormat.TEXT, logLevel);
        var stop = StopSignal.listen();
        Signals.onHangup(() -> {}); // there are no files to read again
        out.println("Starting PostgreSQL ...");
        try (var postgres = DemoPostgres.start()) {
            return stop.requested().isDone() ? ExitCodes.OK : runNode(once, postgres, stop);
        } catch (NodeStartFailure e) {
            return failed("the node did not start: " + e.getMessage());
        } catch (DemoFailure e) {
            return failed(String.valueOf(e.getMessage()));
        } catch (IOException | SQLException e) {
            return failed("PostgreSQL: " + e.getMessage());
        }
    }

    private int runNode(boolean once, DemoPostgres postgres, StopSignal stop)
            throws IOException, SQLException, DemoFailure, InterruptedException {
        var node = ProxyNode.start(DemoNode.config(postgres, HOST, port(), io));
        try {
            var target = new DemoTarget(HOST, port(node));
            introduce(target, postgres);
            if (once) {
                take(new DemoTour(target, postgres, DemoNode.POOL_SIZE, out), stop);
                out.println();
                out.println("All as it should be.");
            } else {
                invite(target);
                stop.requested().join();
                out.println();
                out.println("Stopping; once more Ctrl-C ends open transactions at once ...");
            }
            return ExitCodes.OK;
        } finally {
            stop.end(node);
        }
    }

    /// Takes the tour on a thread of its own, so that a signal can end it by ending the node under it.
    private static void take(DemoTour tour, StopSignal stop) throws DemoFailure, InterruptedException {
        var taken = new CompletableFuture<Void>();
        Thread.ofVirtual().name("tour").start(() -> {
            try {
                tour.take();
                taken.complete(null);
            } catch (DemoFailure | InterruptedException | RuntimeException e) {
                taken.completeExceptionally(e);
            }
        });
        try {
            CompletableFuture.anyOf(taken, stop.requested()).get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof DemoFailure failure
                    ? failure
                    : new DemoFailure("unexpected: " + e.getCause());
        }
        if (!taken.isDone()) {
            throw new DemoFailure("interrupted");
        }
    }

    private void introduce(DemoTarget target, DemoPostgres postgres) throws SQLException {
        out.printf("PostgreSQL %s on %s:%d%n", postgres.version(), postgres.host(), postgres.port());
        out.printf(
                "PgPorter %s on %s:%d, transaction mode, %d backends for each user and database%n",
                Version.text(), target.host(), target.port(), DemoNode.POOL_SIZE);
    }

    private void invite(DemoTarget target) {
        out.println();
        out.println("Databases: " + String.join(", ", DemoPostgres.DATABASES) + ". Users, each for both databases:");
        for (var user : DemoUser.ALL) {
            out.printf("   %-6s password %s%n", user.name(), user.password());
        }
        out.println();
        out.println("Connect:");
        for (var user : DemoUser.ALL) {
            var database = DemoPostgres.DATABASES.get(user == DemoUser.CAROL ? 1 : 0);
            out.println("   " + target.psql(user, database));
            out.println("   " + target.jdbc(user, database));
        }
        out.println();
        out.println("Ctrl-C stops everything and leaves nothing behind.");
    }

    private int port() throws IOException, DemoFailure {
        if (wantedPort.isPresent()) {
            var wanted = wantedPort.getAsInt();
            // The node would share a taken port, as a second process that takes over does.
            DemoFailure.unless(wanted == 0 || DemoNode.isFree(HOST, wanted), "port " + wanted + " is taken");
            return wanted == 0 ? DemoNode.anyFree(HOST) : wanted;
        }
        if (DemoNode.isFree(HOST, DemoNode.USUAL_PORT)) {
            return DemoNode.USUAL_PORT;
        }
        var port = DemoNode.anyFree(HOST);
        out.printf("Port %d is taken, using %d.%n", DemoNode.USUAL_PORT, port);
        return port;
    }

    private static int port(ProxyNode node) throws DemoFailure {
        return node.addresses().stream()
                .filter(InetSocketAddress.class::isInstance)
                .map(InetSocketAddress.class::cast)
                .mapToInt(InetSocketAddress::getPort)
                .findFirst()
                .orElseThrow(() -> new DemoFailure("the node listens on no TCP port"));
    }

    private int failed(String reason) {
        out.flush();
        err.println();
        err.println("pgporter demo FAILED: " + reason);
        return ExitCodes.FAILED;
    }
}
