package org.pgporter.node.login;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.pgporter.config.LoginLimits;

/// Keeps those out who try passwords, and those who log in too often.
///
/// Failures count for the address, and for the name of the user, whether there is such a user or not. More
/// than allowed, and the next login waits; each further failure doubles that. Nobody can lock a user out
/// from elsewhere: an address from which the user has logged in is counted apart for him. Addresses of this
/// machine are not counted as addresses, because everybody behind a proxy or a socket has the same; their
/// users are.
///
/// What is remembered is bounded: [#MOST_REMEMBERED] of each kind. For many threads; nothing blocks.
public final class LoginGuard {
    /// Addresses, users, and pairs of both that are remembered, each; about a hundred bytes.
    public static final int MOST_REMEMBERED = 100_000;

    /// How long an address is known as one of a user's own after its last login.
    private static final Duration FAMILIAR = Duration.ofDays(1);

    /// Doubled so often, every back-off is above every maximum.
    private static final int MOST_DOUBLINGS = 40;

    /// What one subscriber gets (RFC 6177), in bytes.
    private static final int IPV6_PREFIX = 8;

    private final LoginLimits limits;
    private final Ticker ticker;
    private final Cache<Object, Failures> ofAddresses;
    private final Cache<Object, Failures> ofUsers;
    private final Cache<Object, AtomicLong> ratesOfAddresses;
    private final Cache<Object, AtomicLong> ratesOfUsers;
    private final Cache<Pair, Boolean> familiar;
    private final LongAdder succeeded = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder unavailable = new LongAdder();
    private final LongAdder refusedByRate = new LongAdder();
    private final LongAdder refusedByBackoff = new LongAdder();

    private record Pair(String user, Object address) {}

    private record Network(ByteBuffer prefix) {}

    /// On this machine: no address tells one from another.
    private enum Local {
        HERE
    }

    /// Failed logins of one address or user. Guarded by itself.
    private static final class Failures {
        private int count;
        private long last;
        private long waitsUntil;
        private boolean waits;

        synchronized boolean waits(long now) {
            waits &= waitsUntil - now > 0;
            return waits;
        }

        synchronized void add(long now, int allowed, long base, long most) {
            if (waits(now)) {
                return; // begun before the wait: it does not make it longer
            }
            if (count > 0) {
                count >>= (int) Math.min(Integer.SIZE - 1, Math.max(0, now - last) / most);
            }
            count++;
            last = now;
            if (count >= allowed) {
                int doublings = Math.min(count - allowed, MOST_DOUBLINGS);
                long wait = base > most >> doublings ? most : base << doublings;
                waitsUntil = now + wait;
                waits = true;
                last = waitsUntil; // the time of the wait is not one without a failure
            }
        }
    }

    /// @param ticker the time
    public LoginGuard(LoginLimits limits, Ticker ticker) {
        this.limits = limits;
        this.ticker = ticker;
        // Twice the longest wait without a failure leaves a quarter of the count; less is not worth a place.
        Duration remembered = limits.loginBackoffMax().multipliedBy(8);
        this.ofAddresses = cache(remembered);
        this.ofUsers = cache(remembered);
        this.ratesOfAddresses = cache(Duration.ofSeconds(2));
        this.ratesOfUsers = cache(Duration.ofSeconds(2));
        this.familiar = cache(FAMILIAR);
    }

    private <K, V> Cache<K, V> cache(Duration lasting) {
        return Caffeine.newBuilder()
                .maximumSize(MOST_REMEMBERED)
                .expireAfterAccess(lasting)
                .ticker(ticker)
                .executor(Runnable::run)
                .build();
    }

    /// A client has said who it is, and nothing has been asked yet.
    ///
    /// @return why it cannot go on, for the log; empty if it can
    public Optional<String> refusal(LoginRequest request) {
        long now = ticker.read();
        Optional<Object> address = distantAddress(request);
        if (address.isPresent() && !mayCome(ratesOfAddresses, address.get(), limits.loginRatePerAddress(), now)) {
            refusedByRate.increment();
            return Optional.of("login_rate_per_address");
        }
        if (!mayCome(ratesOfUsers, request.user(), limits.loginRatePerUser(), now)) {
            refusedByRate.increment();
            return Optional.of("login_rate_per_user");
        }
        Optional<String> waits = waits(request, now);
        waits.ifPresent(_ -> refusedByBackoff.increment());
        return waits;
    }

    /// A client has proved who it is; but many guesses at one time shall not be worth more than one after
    /// the other.
    ///
    /// @return why it cannot come in all the same, for the log; empty if it can
    public Optional<String> succeeded(LoginRequest request) {
        Optional<String> waits = waits(request, ticker.read());
        if (waits.isPresent()) {
            refusedByBackoff.increment();
            return waits;
        }
        succeeded.increment();
        Pair pair = pair(request);
        ofUsers.invalidate(pair);
        familiar.put(pair, true);
        return Optional.empty();
    }

    /// A client has not proved who it is.
    public void failed(LoginRequest request) {
        failed.increment();
        long now = ticker.read();
        distantAddress(request)
                .ifPresent(address -> count(ofAddresses, address, limits.loginFailuresPerAddress(), now));
        count(ofUsers, userKey(request), limits.loginFailuresPerUser(), now);
    }

    /// Nobody could say whether the client is who it says. Counted, and not held against it.
    public void unavailable() {
        unavailable.increment();
    }

    private void count(Cache<Object, Failures> failures, Object key, int allowed, long now) {
        if (allowed > 0) {
            failures.get(key, _ -> new Failures())
                    .add(
                            now,
                            allowed,
                            limits.loginBackoff().toNanos(),
                            limits.loginBackoffMax().toNanos());
        }
    }

    private Optional<String> waits(LoginRequest request, long now) {
        boolean address = distantAddress(request)
                .filter(it -> waits(ofAddresses.getIfPresent(it), now))
                .isPresent();
        if (address) {
            return Optional.of("login_failures_per_address");
        }
        return waits(ofUsers.getIfPresent(userKey(request)), now)
                ? Optional.of("login_failures_per_user")
                : Optional.empty();
    }

    private static boolean waits(@Nullable Failures failures, long now) {
        return failures != null && failures.waits(now);
    }

    /// As many at once as in one second, and then one after the other.
    private static boolean mayCome(Cache<Object, AtomicLong> rates, Object key, int perSecond, long now) {
        if (perSecond == 0) {
            return true;
        }
        long second = Duration.ofSeconds(1).toNanos();
        long each = second / perSecond;
        AtomicLong freeAt = rates.get(key, _ -> new AtomicLong(now));
        while (true) {
            long before = freeAt.get();
            long after = now + Math.max(before - now, 0) + each;
            if (after - now > each * perSecond) {
                return false;
            }
            if (freeAt.compareAndSet(before, after)) {
                return true;
            }
        }
    }

    private Object userKey(LoginRequest request) {
        Pair pair = pair(request);
        return familiar.getIfPresent(pair) == null ? request.user() : pair;
    }

    private static Pair pair(LoginRequest request) {
        return new Pair(request.user(), distantAddress(request).orElse(Local.HERE));
    }

    /// Empty for clients on this machine.
    private static Optional<Object> distantAddress(LoginRequest request) {
        return request.address().filter(it -> !it.isLoopbackAddress()).map(LoginGuard::network);
    }

    private static Object network(InetAddress address) {
        return address instanceof Inet6Address
                ? new Network(ByteBuffer.wrap(Arrays.copyOf(address.getAddress(), IPV6_PREFIX)))
                : address;
    }

    /// What has been counted since the start.
    ///
    /// @param succeeded clients that proved who they are
    /// @param failed clients that did not
    /// @param unavailable clients of whom nobody could say
    /// @param refusedByRate clients that were not asked, because they came too often
    /// @param refusedByBackoff clients that were not asked, because they had failed too often
    public record Statistics(
            long succeeded, long failed, long unavailable, long refusedByRate, long refusedByBackoff) {}

    public Statistics statistics() {
        return new Statistics(
                succeeded.sum(), failed.sum(), unavailable.sum(), refusedByRate.sum(), refusedByBackoff.sum());
    }

    /// Entries that are remembered now, of all kinds.
    long remembered() {
        return size(ofAddresses) + size(ofUsers) + size(ratesOfAddresses) + size(ratesOfUsers) + size(familiar);
    }

    private static long size(Cache<?, ?> cache) {
        cache.cleanUp();
        return cache.estimatedSize();
    }
}
