package org.pgporter.node.hba;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.pgporter.auth.hba.AddressRange;

/// Asks the operating system for names of clients and for the networks of this machine, on threads of its
/// own: the resolver of the C library may hold a thread for many seconds, a virtual one together with its
/// carrier.
///
/// What takes longer than [#LONGEST], and what finds no place to wait, fails; then the rule that asked lets
/// nobody in.
final class HostLookups implements AutoCloseable {
    /// How long a client waits; the resolver's own first timeout is 5 s.
    static final Duration LONGEST = Duration.ofSeconds(5);

    /// Lookups at one time, and those that wait for their turn.
    static final int MOST_AT_ONCE = 8;

    static final int MOST_WAITING = 256;

    /// Clients whose names are remembered.
    static final int MOST_REMEMBERED = 10_000;

    /// How long a name, or that there is none, is remembered; and the networks.
    static final Duration REMEMBERED = Duration.ofSeconds(30);

    private static final Duration NETWORKS_REMEMBERED = Duration.ofSeconds(5);

    private final UnaryOperator<String> resolver;
    private final ThreadPoolExecutor threads;
    private final Cache<InetAddress, CompletableFuture<Optional<String>>> names = Caffeine.newBuilder()
            .maximumSize(MOST_REMEMBERED)
            .expireAfterWrite(REMEMBERED)
            .build();
    private final Cache<Boolean, CompletableFuture<List<AddressRange>>> networks =
            Caffeine.newBuilder().expireAfterWrite(NETWORKS_REMEMBERED).build();

    HostLookups() {
        this(literal -> InetAddress.ofLiteral(literal).getCanonicalHostName());
    }

    /// @param resolver gives the name that leads back to an address, or else the address itself; may block
    HostLookups(UnaryOperator<String> resolver) {
        this.resolver = resolver;
        this.threads = new ThreadPoolExecutor(
                MOST_AT_ONCE,
                MOST_AT_ONCE,
                1,
                TimeUnit.MINUTES,
                new ArrayBlockingQueue<>(MOST_WAITING),
                Thread.ofPlatform().name("pgporter-hosts-", 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
    }

    /// As [org.pgporter.auth.hba.HostNames] says. (The JDK looks up the name that it has found, and answers
    /// with the address when that leads elsewhere.)
    CompletableFuture<Optional<String>> nameOf(InetAddress client) {
        return asked(names, client, () -> {
            String literal = client.getHostAddress().replaceFirst("%.*", "");
            return Optional.of(resolver.apply(literal)).filter(name -> !name.equals(literal));
        });
    }

    /// As [org.pgporter.auth.hba.LocalNetworks] says.
    CompletableFuture<List<AddressRange>> networks() {
        return asked(networks, true, HostLookups::listNetworks);
    }

    /// One question for all who ask meanwhile. A failure is not remembered.
    private <K, V> CompletableFuture<V> asked(Cache<K, CompletableFuture<V>> cache, K key, Callable<V> question) {
        CompletableFuture<V> known = cache.get(key, _ -> {
            CompletableFuture<V> answer = new CompletableFuture<>();
            try {
                threads.execute(() -> answer.completeAsync(() -> call(question), Runnable::run));
            } catch (RejectedExecutionException e) {
                answer.completeExceptionally(e);
            }
            return answer.orTimeout(LONGEST.toMillis(), TimeUnit.MILLISECONDS);
        });
        known.whenComplete((_, failure) -> {
            if (failure != null) {
                cache.asMap().remove(key, known);
            }
        });
        return known.copy();
    }

    private static <V> V call(Callable<V> question) {
        try {
            return question.call();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<AddressRange> listNetworks() throws SocketException {
        List<AddressRange> found = new ArrayList<>();
        for (NetworkInterface device : NetworkInterface.networkInterfaces().toList()) {
            for (InterfaceAddress address : device.getInterfaceAddresses()) {
                int longest = address.getAddress().getAddress().length * Byte.SIZE;
                int prefix = address.getNetworkPrefixLength();
                // What has no network is alone in it, and not everybody's.
                found.add(AddressRange.of(address.getAddress(), prefix <= 0 || prefix > longest ? longest : prefix));
            }
        }
        return found;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
