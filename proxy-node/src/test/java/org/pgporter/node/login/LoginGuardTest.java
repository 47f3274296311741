package org.pgporter.node.login;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.config.LoginLimits;

class LoginGuardTest {
    private static final LoginLimits LIMITS = LoginLimits.defaults()
            .withLoginFailuresPerUser(3)
            .withLoginFailuresPerAddress(5)
            .withLoginBackoffMax(Duration.ofSeconds(8));

    private static final String OFFICE = "198.51.100.7";
    private static final String ELSEWHERE = "203.0.113.9";

    private long nanos = Long.MAX_VALUE - 5; // a clock that overflows, as nanoTime may
    private LoginGuard guard = new LoginGuard(LIMITS, () -> nanos);

    // ---- failures of a user

    @Test
    void shouldLetFailuresPassUpToTheLimit() {
        fails("alice", OFFICE, 2);
        assertThat(refusal("alice", OFFICE)).isEmpty();
        fails("alice", OFFICE, 1);
        assertThat(refusal("alice", OFFICE)).hasValue("login_failures_per_user");
        assertThat(refusal("bob", OFFICE)).isEmpty();
    }

    @Test
    void shouldDoubleTheWaitWithEachFurtherFailure() {
        guard = new LoginGuard(LIMITS.withLoginFailuresPerAddress(0), () -> nanos);
        fails("alice", OFFICE, 3);
        for (int seconds : new int[] {1, 2, 4, 8, 8, 8}) {
            pass(Duration.ofSeconds(seconds).minusNanos(1));
            assertThat(refusal("alice", OFFICE)).as(seconds + " seconds").isPresent();
            pass(Duration.ofNanos(1));
            assertThat(refusal("alice", OFFICE)).isEmpty();
            fails("alice", OFFICE, 1);
        }
    }

    @Test
    void shouldForgetFailuresWithTime() {
        fails("alice", OFFICE, 2);
        pass(Duration.ofSeconds(16)); // two are half of a half
        fails("alice", OFFICE, 2);
        assertThat(refusal("alice", OFFICE)).isEmpty();
    }

    @Test
    void shouldTreatUnknownUsersAsOthers() {
        fails("nobody", OFFICE, 3);
        assertThat(refusal("nobody", ELSEWHERE)).hasValue("login_failures_per_user");
    }

    @Test
    void shouldNotLetOthersLockAUserOut() {
        // Given
        assertThat(succeeds("alice", OFFICE)).isEmpty();

        // When
        fails("alice", ELSEWHERE, 3);

        // Then
        assertThat(refusal("alice", ELSEWHERE)).isPresent();
        assertThat(refusal("alice", OFFICE)).isEmpty();
        assertThat(succeeds("alice", OFFICE)).isEmpty();
    }

    @Test
    void shouldBoundGuessesAlsoWhereAUserIsAtHome() {
        succeeds("alice", OFFICE);
        fails("alice", OFFICE, 3);
        assertThat(refusal("alice", OFFICE)).isPresent();
    }

    @Test
    void shouldForgetTheFailuresOfAUserWhoSucceeds() {
        succeeds("alice", OFFICE);
        fails("alice", OFFICE, 2);
        succeeds("alice", OFFICE);
        fails("alice", OFFICE, 2);
        assertThat(refusal("alice", OFFICE)).isEmpty();
    }

    /// A thousand guesses begun at the same time are not worth more than those that may be made one after
    /// the other.
    @Test
    void shouldNotLetInWhoGuessedRightWhileHeHadToWait() {
        assertThat(refusal("alice", OFFICE)).isEmpty();
        assertThat(refusal("alice", OFFICE)).isEmpty();
        fails("alice", OFFICE, 3);
        assertThat(succeeds("alice", OFFICE)).isPresent();
        assertThat(guard.statistics().succeeded()).isZero();
    }

    @Test
    void shouldNotMakeTheWaitLongerForFailuresBegunBefore() {
        fails("alice", OFFICE, 4);
        fails("alice", ELSEWHERE, 100);
        pass(Duration.ofSeconds(1));
        assertThat(succeeds("alice", "192.0.2.1")).isEmpty();
    }

    // ---- failures of an address

    @Test
    void shouldCountTheFailuresOfAnAddress() {
        for (int i = 0; i < 5; i++) {
            assertThat(refusal("user" + i, OFFICE)).isEmpty();
            fails("user" + i, OFFICE, 1);
        }
        assertThat(refusal("somebody", OFFICE)).hasValue("login_failures_per_address");
        assertThat(refusal("somebody", ELSEWHERE)).isEmpty();
    }

    @Test
    void shouldNotForgetTheFailuresOfAnAddressForOneSuccess() {
        for (int i = 0; i < 5; i++) {
            succeeds("own account", OFFICE);
            fails("victim" + i, OFFICE, 1);
        }
        assertThat(refusal("victim", OFFICE)).hasValue("login_failures_per_address");
    }

    @Test
    void shouldTakeANetworkOfIpv6ForOneAddress() {
        for (int i = 0; i < 5; i++) {
            fails("user" + i, "2001:db8:1:2:" + i + "::1", 1);
        }
        assertThat(refusal("somebody", "2001:db8:1:2:ffff::9")).isPresent();
        assertThat(refusal("somebody", "2001:db8:1:3::1")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.9.9.9", "::1"})
    void shouldNotCountAddressesOfThisMachine(String address) {
        for (int i = 0; i < 100; i++) {
            fails("user" + i, address, 1);
        }
        assertThat(refusal("somebody", address)).isEmpty();
        fails("alice", address, 3);
        assertThat(refusal("alice", address)).as("its users are counted").isPresent();
    }

    @Test
    void shouldCountTheUsersOfAUnixSocket() {
        SocketAddress socket = new DomainSocketAddress("/run/x");
        for (int i = 0; i < 100; i++) {
            guard.failed(request("user" + i, socket));
        }
        assertThat(guard.refusal(request("somebody", socket))).isEmpty();
        for (int i = 0; i < 3; i++) {
            guard.failed(request("alice", socket));
        }
        assertThat(guard.refusal(request("alice", socket))).isPresent();
    }

    // ---- rates

    @Test
    void shouldBoundLoginsPerSecond() {
        guard = new LoginGuard(LIMITS.withLoginRatePerAddress(10).withLoginRatePerUser(5), () -> nanos);
        for (int i = 0; i < 5; i++) {
            assertThat(refusal("alice", OFFICE)).isEmpty();
        }
        assertThat(refusal("alice", OFFICE)).hasValue("login_rate_per_user");
        for (int i = 0; i < 4; i++) {
            assertThat(refusal("user" + i, OFFICE)).as("the " + i + "th").isEmpty();
        }
        assertThat(refusal("bob", OFFICE)).hasValue("login_rate_per_address");
        assertThat(refusal("bob", ELSEWHERE)).isEmpty();

        pass(Duration.ofMillis(200));
        assertThat(refusal("alice", OFFICE)).isEmpty();
        assertThat(refusal("alice", OFFICE)).isPresent();
        assertThat(guard.statistics().refusedByRate()).isEqualTo(3);
    }

    @Test
    void shouldLimitNothingWhenToldSo() {
        guard = new LoginGuard(LIMITS.withLoginFailuresPerAddress(0).withLoginFailuresPerUser(0), () -> nanos);
        fails("alice", OFFICE, 10_000);
        assertThat(refusal("alice", OFFICE)).isEmpty();
    }

    // ---- all together

    @Test
    void shouldRememberABoundedNumber() {
        for (int i = 0; i < 120_000; i++) {
            String address = "2001:db8:" + Integer.toHexString(i >> 16) + ":" + Integer.toHexString(i & 0xffff) + "::1";
            guard.failed(request("nobody" + i, socket(address)));
        }
        assertThat(guard.remembered()).isLessThanOrEqualTo(2L * LoginGuard.MOST_REMEMBERED);
    }

    @Test
    void shouldForgetWhoIsNotSeenAnyMore() {
        fails("alice", OFFICE, 3);
        pass(Duration.ofMinutes(10));
        assertThat(guard.remembered()).isZero();
    }

    @Test
    void shouldCountEverything() {
        succeeds("alice", OFFICE);
        fails("bob", OFFICE, 3);
        refusal("bob", OFFICE);
        guard.unavailable();
        assertThat(guard.statistics()).isEqualTo(new LoginGuard.Statistics(1, 3, 1, 0, 1));
        assertThat(refusal("carol", OFFICE)).as("nobody is blamed for us").isEmpty();
    }

    // ---- words

    private void fails(String user, String address, int times) {
        for (int i = 0; i < times; i++) {
            guard.failed(request(user, socket(address)));
        }
    }

    private Optional<String> succeeds(String user, String address) {
        return guard.succeeded(request(user, socket(address)));
    }

    private Optional<String> refusal(String user, String address) {
        return guard.refusal(request(user, socket(address)));
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    private static SocketAddress socket(String address) {
        try {
            return new InetSocketAddress(InetAddress.getByName(address), 5432);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    private static LoginRequest request(String user, SocketAddress remote) {
        return new LoginRequest(user, "app", false, remote, Optional.empty(), OptionalInt.empty());
    }
}
