package org.pgporter.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// How the programs of PostgreSQL are started. They refuse to run as root, so root starts them in a user namespace of
/// their own, or, where the system does not allow that (most containers), as user `nobody`.
enum Launcher {
    DIRECT(List.of()),
    USER_NAMESPACE(List.of("unshare", "--user")),
    NOBODY(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));

    private static final long PROBE_SECONDS = 10;

    private final List<String> prefix;

    Launcher(List<String> prefix) {
        this.prefix = prefix;
    }

    /// The way that works on this machine for this user.
    static Launcher ofThisMachine() {
        return Found.LAUNCHER;
    }

    List<String> command(List<String> programAndArguments) {
        return Stream.concat(prefix.stream(), programAndArguments.stream()).toList();
    }

    /// Gives the file or folder to the user that PostgreSQL will run as.
    void handOver(Path path) throws IOException {
        if (this == NOBODY) {
            Files.setAttribute(path, "unix:uid", 65534);
        }
    }

    private boolean works() {
        try {
            var process = new ProcessBuilder(command(List.of("id", "-u")))
                    .redirectErrorStream(true)
                    .start();
            var answer = new String(process.getInputStream().readAllBytes()).strip();
            return process.waitFor(PROBE_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0 && !answer.equals("0");
        } catch (IOException _) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static final class Found {
        static final Launcher LAUNCHER = find();

        private static Launcher find() {
            return Stream.of(values())
                    .filter(Launcher::works)
                    .findFirst()
                    .orElseThrow(
                            () -> new UncheckedIOException(
                                    new IOException(
                                            "PostgreSQL does not run as root, and neither unshare --user nor setpriv works here: run the tests as another user")));
        }
    }
}
