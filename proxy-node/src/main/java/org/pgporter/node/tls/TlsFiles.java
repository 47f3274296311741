package org.pgporter.node.tls;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A context that follows its files: it is made anew when it is asked for and when they have changed. Connections
/// that are open keep what they have; a file that cannot be used leaves everything as it was. For many threads.
final class TlsFiles {
    private static final Logger LOG = LoggerFactory.getLogger(TlsFiles.class);

    /// Makes a context of what the files say now.
    @FunctionalInterface
    interface Maker {
        TlsContext make() throws TlsProblem;
    }

    private final String name;
    private final List<Path> files;
    private final Maker maker;
    private final AtomicReference<@Nullable TlsContext> current = new AtomicReference<>();
    private final String leg;
    private String seen = "";
    private volatile List<LoadedCertificate> certificates = List.of();

    /// @param name for the log
    /// @param leg whose certificates these are, for those who look after the node
    TlsFiles(String name, String leg, List<Path> files, Maker maker) {
        this.name = name;
        this.leg = leg;
        this.files = List.copyOf(files);
        this.maker = maker;
    }

    /// The context in use, made now if nobody needed it before.
    TlsContext context() throws TlsProblem {
        TlsContext made = current.get();
        return made != null ? made : first();
    }

    private synchronized TlsContext first() throws TlsProblem {
        TlsContext made = current.get();
        if (made == null) {
            seen = FileState.of(files);
            made = maker.make();
            current.set(made);
            certificates = LoadedCertificate.in(leg, files, Instant.now());
        }
        return made;
    }

    /// The certificates in use, as they were read.
    List<LoadedCertificate> certificates() {
        return certificates;
    }

    /// Whether [#context] costs nothing.
    boolean ready() {
        return current.get() != null;
    }

    /// Reads the files again.
    ///
    /// @return why the old ones stay
    synchronized Optional<TlsProblem> reload() {
        seen = FileState.of(files);
        TlsContext before = current.get();
        if (before == null) {
            return Optional.empty(); // nobody needed it yet
        }
        try {
            current.set(maker.make());
            before.release();
            certificates = LoadedCertificate.in(leg, files, Instant.now());
            if (!files.isEmpty()) {
                LOG.atInfo().addKeyValue(LogKeys.KEY, name).log("certificates read again");
            }
            return Optional.empty();
        } catch (TlsProblem problem) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.KEY, problem.key())
                    .addKeyValue(LogKeys.REASON, problem.reason())
                    .log("certificates cannot be read again; the old ones stay");
            return Optional.of(problem);
        }
    }

    /// Reads the files again if they are others than before.
    synchronized void follow() {
        TlsContext made = current.get();
        if (made != null) {
            made.renewTickets();
        }
        if (!files.isEmpty() && !FileState.of(files).equals(seen)) {
            reload();
        }
    }

    synchronized void release() {
        TlsContext made = current.getAndSet(null);
        if (made != null) {
            made.release();
        }
    }
}
