package org.pgporter.auth.scram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pgporter.auth.Answers.bytes;
import static org.pgporter.auth.Answers.text;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.ScramLimits;
import org.pgporter.auth.scram.ScramClientExchange.Failed;
import org.pgporter.auth.scram.ScramClientExchange.FromKeys;
import org.pgporter.auth.scram.ScramClientExchange.FromPassword;
import org.pgporter.auth.scram.ScramClientExchange.Malformed;
import org.pgporter.auth.scram.ScramClientExchange.NeedsSaltedPassword;
import org.pgporter.auth.scram.ScramClientExchange.NotProven;
import org.pgporter.auth.scram.ScramClientExchange.Refused;
import org.pgporter.auth.scram.ScramClientExchange.SendFinal;
import org.pgporter.auth.scram.ScramClientExchange.ServerVerified;
import org.pgporter.auth.scram.ScramClientExchange.Step;

/// What a server can send wrong.
class ScramClientExchangeTest {
    private static final FromPassword PASSWORD = new FromPassword(Secret.of("pencil"));
    private static final FromKeys KEYS = new FromKeys(new ScramKeys(new byte[32], new byte[32]));

    private final ScramClientExchange exchange =
            new ScramClientExchange(PASSWORD, new ScramBinding.None(), "", "client");

    @Test
    void shouldBeginWithoutUserAndChannelBinding() {
        assertThat(text(exchange.initialMessage())).isEqualTo("n,,n=,r=client");
        assertThat(text(new ScramClientExchange(PASSWORD, new ScramBinding.None(), new SecureRandom())
                        .initialMessage()))
                .matches("n,,n=,r=[A-Za-z0-9+/]{24}");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 16, 32, 128, 1024})
    void shouldTakeSaltsUpToTheLimit(int length) {
        assertThat(afterInitial("r=clientserver,s=" + salt(length) + ",i=1"))
                .isInstanceOfSatisfying(
                        NeedsSaltedPassword.class,
                        needed -> assertThat(needed.salt()).hasSize(length));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4096, ScramLimits.MAX_ITERATIONS})
    void shouldTakeIterationsUpToTheLimit(int iterations) {
        assertThat(afterInitial("r=clientserver,s=AAAA,i=" + iterations))
                .isInstanceOfSatisfying(
                        NeedsSaltedPassword.class,
                        needed -> assertThat(needed.iterations()).isEqualTo(iterations));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "-1",
                "+1",
                "",
                "1e3",
                " 1",
                "2000001",
                "2147483647",
                "2147483648",
                "4294967297",
                "99999999999999999999",
                "\u0661"
            })
    void shouldRefuseOtherIterations(String iterations) {
        assertThat(afterInitial("r=clientserver,s=AAAA,i=" + iterations)).isInstanceOf(Malformed.class);
    }

    @Test
    void shouldRefuseSaltsOutOfBounds() {
        assertThat(afterInitial("r=clientserver,s=,i=1")).isInstanceOf(Malformed.class);
        ScramClientExchange other = new ScramClientExchange(PASSWORD, new ScramBinding.None(), "", "client");
        other.initialMessage();
        assertThat(other.onServerFirst(bytes("r=clientserver,s=" + salt(1025) + ",i=1")))
                .isEqualTo(new Malformed("malformed SCRAM message: malformed salt"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "r=client,s=AAAA,i=1",
                "r=Clientserver,s=AAAA,i=1",
                "r=server,s=AAAA,i=1",
                "r=,s=AAAA,i=1",
                "r=clientser ver,s=AAAA,i=1",
                "r=clientser\u00E9ver,s=AAAA,i=1",
                "s=AAAA,r=clientserver,i=1",
                "r=clientserver",
                "r=clientserver,s=AAAA",
                "r=clientserver,s=AAA,i=1",
                "r=clientserver,s=A*AA,i=1",
                "r=clientserver,s=AAAA,i=1,garbage",
                "r=clientserver\0,s=AAAA,i=1",
                "m=must,r=clientserver,s=AAAA,i=1",
                "e=other-error"
            })
    void shouldCallFirstMessagesMalformed(String message) {
        assertThat(afterInitial(message)).isInstanceOf(Malformed.class);
        assertThatThrownBy(() -> exchange.withSaltedPassword(new byte[32])).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldRefuseAHugeNonce() {
        String longest = "client" + "x".repeat(ScramLimits.MAX_NONCE_LENGTH - "client".length());

        assertThat(afterInitial("r=" + longest + ",s=AAAA,i=1")).isInstanceOf(NeedsSaltedPassword.class);
        for (int length : new int[] {1, 1000, 1_000_000}) {
            ScramClientExchange other = new ScramClientExchange(PASSWORD, new ScramBinding.None(), "", "client");
            other.initialMessage();
            assertThat(other.onServerFirst(bytes("r=" + longest + "x".repeat(length) + ",s=AAAA,i=1")))
                    .isInstanceOf(Malformed.class);
        }
    }

    @Test
    void shouldNeedNoDerivationWhenItHasTheKeys() {
        ScramClientExchange withKeys = new ScramClientExchange(KEYS, new ScramBinding.None(), "", "client");
        withKeys.initialMessage();

        assertThat(withKeys.onServerFirst(bytes("r=clientserver,s=AAAA,i=2000000,x=ignored")))
                .isInstanceOfSatisfying(
                        SendFinal.class,
                        last -> assertThat(text(last.message())).matches("c=biws,r=clientserver,p=[A-Za-z0-9+/]{43}="));
    }

    @Test
    void shouldReportTheErrorOfTheServer() {
        assertThat(afterFinal("e=invalid-proof")).isEqualTo(new Refused("the server refused the login: invalid-proof"));
        assertThat(afterFinal("e=line\nbreak\u001B[0m" + "x".repeat(500)))
                .isInstanceOfSatisfying(Failed.class, failed -> {
                    assertThat(failed.reason()).startsWith("the server refused the login: line?break?[0m");
                    assertThat(failed.reason()).hasSizeLessThan(100);
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "v", "v=A", "v=****", "x=AAAA", "V=AAAA", "v=AAAA\0"})
    void shouldCallFinalMessagesMalformed(String message) {
        assertThat(afterFinal(message)).isInstanceOf(Malformed.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v=", "v=AAAA", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    void shouldNotTrustAnotherSignature(String message) {
        assertThat(afterFinal(message)).isInstanceOf(NotProven.class);
    }

    @Test
    void shouldRefuseAnEmptyPassword() {
        assertThatIllegalArgumentException().isThrownBy(() -> new FromPassword(Secret.of("")));
    }

    @Test
    void shouldInsistOnItsOrder() {
        assertThatThrownBy(() -> exchange.onServerFirst(bytes("r=x"))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(exchange::initialMessage).isInstanceOf(IllegalStateException.class);
        ScramClientExchange early = new ScramClientExchange(PASSWORD, new ScramBinding.None(), "", "client");
        early.initialMessage();
        assertThatThrownBy(() -> early.onServerFinal(bytes("v=AAAA"))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldNeverThrowWhateverTheServerSends() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            ScramClientExchange fuzzed = new ScramClientExchange(KEYS, new ScramBinding.None(), "", "client");
            fuzzed.initialMessage();
            try {
                Step step = fuzzed.onServerFirst(ScramServerExchangeTest.fuzz(random, "r=clientserver,s=AAAA,i=4096"));
                if (step instanceof SendFinal) {
                    step = fuzzed.onServerFinal(ScramServerExchangeTest.fuzz(random, "v=AAAA"));
                }
                assertThat(step).isInstanceOf(Failed.class).isNotInstanceOf(ServerVerified.class);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", round " + i, e);
            }
        }
    }

    private Step afterInitial(String serverFirst) {
        exchange.initialMessage();
        return exchange.onServerFirst(bytes(serverFirst));
    }

    private static Step afterFinal(String serverFinal) {
        ScramClientExchange withKeys = new ScramClientExchange(KEYS, new ScramBinding.None(), "", "client");
        withKeys.initialMessage();
        withKeys.onServerFirst(bytes("r=clientserver,s=AAAA,i=1"));
        return withKeys.onServerFinal(bytes(serverFinal));
    }

    private static String salt(int length) {
        return Base64.getEncoder().encodeToString(new byte[length]);
    }
}
