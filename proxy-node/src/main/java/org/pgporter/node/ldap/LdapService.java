package org.pgporter.node.ldap;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.Secret;
import org.pgporter.config.LdapOptions;

/// Asks directories on virtual threads: for each rule as many at one time as it may have connections, and a bounded
/// number that wait. A directory that hangs holds up nobody who asks another one.
public final class LdapService implements AutoCloseable {
    /// Rules with connections at one time; rules stand in the configuration.
    private static final int MOST_DIRECTORIES = 64;

    /// After this time without a login the connections of a rule are closed.
    private static final Duration KEPT = Duration.ofMinutes(10);

    /// A login asks for a connection, searches and binds.
    private static final int MOST_ANSWERS = 3;

    private final LdapOptions options;
    private final Cache<Key, Directory> directories;
    private final LongAdder refused = new LongAdder();

    /// @param authorities when the file of `ldap_tls_ca_cert` was written: a new one makes new connections
    private record Key(LdapTarget target, Optional<FileTime> authorities) {}

    /// @param places for logins that are being answered or wait
    /// @param connections for logins that are being answered
    private record Directory(LdapDirectory its, Semaphore connections) {}

    private final Cache<LdapTarget, Semaphore> places;

    public LdapService(LdapOptions options) {
        this.options = options;
        this.places = Caffeine.newBuilder()
                .maximumSize(MOST_DIRECTORIES)
                .expireAfterAccess(KEPT)
                .build();
        this.directories = Caffeine.newBuilder()
                .maximumSize(MOST_DIRECTORIES)
                .expireAfterAccess(KEPT)
                .<Key, Directory>removalListener((@Nullable Key _, @Nullable Directory gone, RemovalCause _) -> {
                    if (gone != null) {
                        gone.its().close();
                    }
                })
                .build();
    }

    /// Whether this password is the user's. Never blocks. The stage completes normally in all cases;
    /// [LdapOutcome.Broken] when the answer does not come in time, or too many wait for one.
    public CompletionStage<LdapOutcome> authenticate(LdapTarget target, String user, Secret password) {
        Semaphore place = places.get(target, _ -> new Semaphore(options.ldapConnections() + options.ldapQueue()));
        if (!place.tryAcquire()) {
            refused.increment();
            return CompletableFuture.completedStage(new LdapOutcome.Broken(
                    "too many logins wait for the directory (ldap_queue: " + options.ldapQueue() + ")"));
        }
        CompletableFuture<LdapOutcome> result = new CompletableFuture<>();
        Thread.ofVirtual().name("pgporter-ldap").start(() -> {
            try {
                result.complete(ask(target, user, password));
            } catch (IOException | GeneralSecurityException | RuntimeException e) {
                result.complete(new LdapOutcome.Broken(String.valueOf(e)));
            } catch (InterruptedException _) {
                result.complete(new LdapOutcome.Broken("interrupted"));
            } finally {
                place.release();
            }
        });
        return result.orTimeout(options.ldapTimeout().toMillis() * MOST_ANSWERS, TimeUnit.MILLISECONDS)
                .exceptionally(failure -> new LdapOutcome.Broken(
                        failure instanceof TimeoutException
                                ? "the directory did not answer within ldap_timeout"
                                : String.valueOf(failure)));
    }

    private LdapOutcome ask(LdapTarget target, String user, Secret password)
            throws IOException, GeneralSecurityException, InterruptedException {
        Directory directory = directory(target);
        if (!directory.connections().tryAcquire(options.ldapTimeout().toMillis(), TimeUnit.MILLISECONDS)) {
            return new LdapOutcome.Broken("no connection to the directory became free within ldap_timeout");
        }
        try {
            return directory.its().authenticate(user, password);
        } finally {
            directory.connections().release();
        }
    }

    private Directory directory(LdapTarget target) throws IOException, GeneralSecurityException {
        Optional<FileTime> written = options.ldapTlsCaCert().isPresent()
                ? Optional.of(Files.getLastModifiedTime(options.ldapTlsCaCert().get()))
                : Optional.empty();
        Key key = new Key(target, written);
        Directory known = directories.getIfPresent(key);
        if (known != null) {
            return known;
        }
        LdapDirectory fresh = new LdapDirectory(target, options);
        Directory made = directories.get(key, _ -> new Directory(fresh, new Semaphore(options.ldapConnections())));
        if (made.its() != fresh) {
            fresh.close();
        }
        return made;
    }

    /// Logins that found no place since the start.
    public long refused() {
        return refused.sum();
    }

    /// Connections that are open and wait, to all directories.
    public int idleConnections() {
        return directories.asMap().values().stream()
                .mapToInt(it -> it.its().openConnections())
                .sum();
    }

    @Override
    public void close() {
        directories.invalidateAll();
        directories.cleanUp();
    }
}
