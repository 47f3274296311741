package org.pgporter.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// What is secret stays secret, and still compares.
class SecretTest {
    private static final String HEX = "3175bce1d3201d16594cebf9d7eb3f9d";

    @Test
    void shouldCompareByContent() {
        assertThat(Secret.of("a")).isEqualTo(Secret.of("a")).hasSameHashCodeAs(Secret.of("a"));
        assertThat(Secret.of("a"))
                .isNotEqualTo(Secret.of("b"))
                .isNotEqualTo(Secret.of(""))
                .isNotEqualTo("a");
        assertThat(keys(1, 2)).isEqualTo(keys(1, 2)).hasSameHashCodeAs(keys(1, 2));
        assertThat(keys(1, 2)).isNotEqualTo(keys(3, 2)).isNotEqualTo(keys(1, 3));
        assertThat(new Md5Hash(HEX)).isEqualTo(new Md5Hash(HEX)).isNotEqualTo(new Md5Hash("0".repeat(32)));
    }

    @Test
    void shouldGiveTheTextOnlyWhenAskedByName() {
        assertThat(Secret.of("pencil").reveal()).isEqualTo("pencil");
        assertThat(Secret.of("pencil")).hasToString("Secret[***]");
    }

    @Test
    void shouldHideProofsInAllThatHoldsThem() {
        Identity byScram = Identity.of("alice", "scram-sha-256").withProof(keys(1, 2));
        Identity byMd5 = Identity.of("alice", "md5").withProof(new Md5Hash(HEX));

        assertThat(byScram).asString().contains("proof=Optional[ScramKeys[***]]");
        assertThat(byMd5).asString().contains("proof=Optional[Md5Hash[***]]");
        assertThat(new ClientResponse.Password("pencil".getBytes(StandardCharsets.UTF_8)))
                .hasToString("Password[***]");
    }

    @Test
    void shouldNotBeChangeableFromOutside() {
        byte[] clientKey = new byte[32];
        ScramKeys keys = new ScramKeys(clientKey, new byte[32]);

        clientKey[0] = 1;
        keys.clientKey()[0] = 1;
        keys.serverKey()[0] = 1;

        assertThat(keys).isEqualTo(new ScramKeys(new byte[32], new byte[32]));
    }

    @Test
    void shouldRefuseKeysOfAnotherSizeWithoutShowingThem() {
        assertThatIllegalArgumentException().isThrownBy(() -> new ScramKeys(new byte[31], new byte[32]));
        assertThatIllegalArgumentException().isThrownBy(() -> new ScramKeys(new byte[32], new byte[33]));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Md5Hash(HEX + "0"))
                .withMessage("an MD5 hash has 32 lowercase hexadecimal digits");
    }

    private static ScramKeys keys(int client, int server) {
        byte[] clientKey = new byte[32];
        byte[] serverKey = new byte[32];
        Arrays.fill(clientKey, (byte) client);
        Arrays.fill(serverKey, (byte) server);
        return new ScramKeys(clientKey, serverKey);
    }
}
