package org.pgporter.auth.md5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.malformed;
import static org.pgporter.auth.Answers.md5Salt;
import static org.pgporter.auth.Answers.password;
import static org.pgporter.auth.Answers.rejected;
import static org.pgporter.auth.Answers.sasl;
import static org.pgporter.auth.Answers.saslInitial;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Md5Hash;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.Md5Secret;

class Md5ExchangeTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    /// What PostgreSQL stores for the user postgres with the password postgres.
    private static final Md5Secret STORED = Md5Secret.parse("md53175bce1d3201d16594cebf9d7eb3f9d");
    private static final Secret PASSWORD = Secret.of("postgres");

    private final Md5Exchange exchange = new Md5Exchange("postgres", STORED, RANDOM);

    @Test
    void shouldAcceptThePasswordAndLearnTheHash() {
        // When
        byte[] salt = md5Salt(exchange.start());
        Authenticated result =
                authenticated(exchange.onResponse(password(Md5Response.forPassword("postgres", PASSWORD, salt))));

        // Then
        assertThat(salt).hasSize(4);
        assertThat(result.finalData()).isEmpty();
        assertThat(result.identity().user()).isEqualTo("postgres");
        assertThat(result.identity().method()).isEqualTo("md5");
        assertThat(result.identity().proof()).contains(STORED.hash());
    }

    @Test
    void shouldLogInWithTheLearnedHash() {
        byte[] firstSalt = md5Salt(exchange.start());
        Authenticated first =
                authenticated(exchange.onResponse(password(Md5Response.forPassword("postgres", PASSWORD, firstSalt))));
        Md5Hash learned = (Md5Hash) first.identity().proof().orElseThrow();

        Md5Exchange second = new Md5Exchange("postgres", STORED, RANDOM);
        byte[] salt = md5Salt(second.start());

        authenticated(second.onResponse(password(Md5Response.forHash(learned, salt))));
    }

    @Test
    void shouldComputeWhatPostgresComputes() {
        assertThat(Md5Response.hashOf("postgres", PASSWORD)).isEqualTo(STORED.hash());
        // md5sum of the hash's digits followed by the bytes 01 02 03 04
        assertThat(Md5Response.forHash(STORED.hash(), new byte[] {1, 2, 3, 4}))
                .isEqualTo("md568be9ed08db75f318087ab337aaea044");
    }

    @Test
    void shouldRejectEverythingElse() {
        byte[] salt = md5Salt(exchange.start());
        String right = Md5Response.forPassword("postgres", PASSWORD, salt);

        assertThat(rejected(exchange.onResponse(password(Md5Response.forPassword("postgres", Secret.of("x"), salt)))))
                .isEqualTo("wrong password (md5)");
        assertThat(rejected(answered(right))).isEqualTo("wrong password (md5)");
        assertThat(rejected(answered("postgres"))).isEqualTo("wrong password (md5)");
        assertThat(rejected(answered(STORED.format()))).isEqualTo("wrong password (md5)");
        assertThat(rejected(answered(""))).isEqualTo("empty password returned by client");
    }

    @Test
    void shouldRejectAUserWhoseStoredPasswordIsEmpty() {
        Md5Secret empty = new Md5Secret(Md5Response.hashOf("postgres", Secret.of("")));
        Md5Exchange other = new Md5Exchange("postgres", empty, RANDOM);
        byte[] salt = md5Salt(other.start());

        assertThat(rejected(other.onResponse(password(Md5Response.forHash(empty.hash(), salt)))))
                .isEqualTo("the stored password is empty");
    }

    @Test
    void shouldRejectEveryResponseOfAMockExchange() {
        Md5Exchange mock = Md5Exchange.mock("nobody", RANDOM);
        byte[] salt = md5Salt(mock.start());

        assertThat(rejected(mock.onResponse(password(Md5Response.forHash(new Md5Hash("0".repeat(32)), salt)))))
                .isEqualTo("no such user");
    }

    @Test
    void shouldCallOtherShapesMalformed() {
        assertThat(malformed(answered("md5\0"))).isEqualTo("invalid password packet size");
        assertThat(malformed(answered("x".repeat(exchange.maxResponseLength()))))
                .isEqualTo("invalid password packet size");
        assertThat(malformed(answer(sasl("x")))).isEqualTo("expected a password response");
        assertThat(malformed(answer(saslInitial("x")))).isEqualTo("expected a password response");
    }

    @Test
    void shouldUseAFreshSaltEachTime() {
        // Three salts of four random bytes: all equal once in 2^64 runs.
        byte[] first = md5Salt(new Md5Exchange("postgres", STORED, RANDOM).start());
        byte[] second = md5Salt(new Md5Exchange("postgres", STORED, RANDOM).start());
        byte[] third = md5Salt(new Md5Exchange("postgres", STORED, RANDOM).start());

        assertThat(Arrays.equals(first, second) && Arrays.equals(second, third)).isFalse();
    }

    @Test
    void shouldInsistOnItsOrder() {
        assertThatThrownBy(() -> exchange.onResponse(password("x"))).isInstanceOf(IllegalStateException.class);
        exchange.start();
        assertThatThrownBy(exchange::start).isInstanceOf(IllegalStateException.class);
        exchange.onResponse(password("x"));
        assertThatThrownBy(() -> exchange.onResponse(password("x"))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldNeverThrowWhateverArrives() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            byte[] noise = new byte[random.nextInt(80)];
            random.nextBytes(noise);
            assertThat(answer(new ClientResponse.Password(noise)))
                    .as("seed %d, round %d", seed, i)
                    .isNotInstanceOf(Authenticated.class);
        }
    }

    private static AuthenticationStep answered(String text) {
        return answer(password(text));
    }

    private static AuthenticationStep answer(ClientResponse response) {
        Md5Exchange fresh = new Md5Exchange("postgres", STORED, RANDOM);
        fresh.start();
        return fresh.onResponse(response);
    }
}
