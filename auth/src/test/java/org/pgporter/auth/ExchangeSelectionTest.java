package org.pgporter.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.md5Salt;
import static org.pgporter.auth.Answers.password;
import static org.pgporter.auth.Answers.rejected;
import static org.pgporter.auth.Answers.sasl;
import static org.pgporter.auth.Answers.saslContinue;
import static org.pgporter.auth.Answers.saslInitial;
import static org.pgporter.auth.Answers.text;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.md5.Md5Response;
import org.pgporter.auth.scram.ScramBinding;
import org.pgporter.auth.scram.ScramClientExchange;
import org.pgporter.auth.scram.ScramClientExchange.NeedsSaltedPassword;

/// Which road a user is led, and that an unknown user cannot see a difference.
class ExchangeSelectionTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Secret PASSWORD = Secret.of("s3cret");
    private static final MockSecrets SCRAM_MOCKS = mocks(1, MockKind.SCRAM_SHA_256);
    private static final MockSecrets MD5_MOCKS = mocks(1, MockKind.MD5);

    @Test
    void shouldAskByScramWhoHasAScramSecret() {
        ScramSecret secret = ScramSecret.fromPassword(PASSWORD, new byte[16], 4096);

        Conversation conversation = scramLogin("alice", Optional.of(secret), SCRAM_MOCKS);

        assertThat(authenticated(conversation.last()).identity().method()).isEqualTo("scram-sha-256");
    }

    @Test
    void shouldAskByMd5WhoHasAnMd5Secret() {
        Md5Secret secret = new Md5Secret(Md5Response.hashOf("alice", PASSWORD));
        AuthenticationExchange exchange =
                ExchangeSelection.exchangeFor("alice", Optional.of(secret), SCRAM_MOCKS, Optional.empty(), RANDOM);

        byte[] salt = md5Salt(exchange.start());
        AuthenticationStep last = exchange.onResponse(password(Md5Response.forPassword("alice", PASSWORD, salt)));

        assertThat(authenticated(last).identity().method()).isEqualTo("md5");
    }

    @Test
    void shouldLeadAnUnknownUserTheRoadOfAWrongPassword() {
        // Given
        ScramSecret other = ScramSecret.fromPassword(
                Secret.of("other"), SCRAM_MOCKS.scramSecretFor("x").salt(), 4096);

        // When
        Conversation known = scramLogin("alice", Optional.of(other), SCRAM_MOCKS);
        Conversation unknown = scramLogin("alice", Optional.empty(), SCRAM_MOCKS);

        // Then
        assertThat(unknown.shapes()).isEqualTo(known.shapes());
        assertThat(known.last()).isInstanceOf(AuthenticationStep.Rejected.class);
        assertThat(unknown.last()).isInstanceOf(AuthenticationStep.Rejected.class);
        assertThat(unknown.maxResponseLength()).isEqualTo(known.maxResponseLength());
    }

    @Test
    void shouldLeadAnUnknownUserTheRoadOfMd5WhenMostUsersHaveIt() {
        AuthenticationExchange exchange =
                ExchangeSelection.exchangeFor("nobody", Optional.empty(), MD5_MOCKS, Optional.empty(), RANDOM);

        byte[] salt = md5Salt(exchange.start());

        assertThat(salt).hasSize(4);
        assertThat(rejected(exchange.onResponse(password(Md5Response.forPassword("nobody", PASSWORD, salt)))))
                .isEqualTo("no such user");
    }

    @Test
    void shouldShowTheSameSaltWheneverTheSameNameIsAsked() {
        assertThat(saltShownTo("nobody", SCRAM_MOCKS)).isEqualTo(saltShownTo("nobody", SCRAM_MOCKS));
        assertThat(saltShownTo("nobody", SCRAM_MOCKS)).isEqualTo(saltShownTo("nobody", mocks(1, MockKind.MD5)));
    }

    @Test
    void shouldShowOtherSaltsToOtherNamesAndWithOtherKeys() {
        assertThat(saltShownTo("nobody", SCRAM_MOCKS)).isNotEqualTo(saltShownTo("nobody2", SCRAM_MOCKS));
        assertThat(saltShownTo("nobody", SCRAM_MOCKS))
                .isNotEqualTo(saltShownTo("nobody", mocks(2, MockKind.SCRAM_SHA_256)));
    }

    @Test
    void shouldNotTellAPlainPasswordFromAnUnknownUser() {
        // Given
        ScramSecret adHoc = SCRAM_MOCKS.adHocSecret("alice", new PlainPassword(PASSWORD));

        // When
        Conversation known = scramLogin("alice", Optional.of(adHoc), SCRAM_MOCKS);
        Conversation unknown = scramLogin("alice", Optional.empty(), SCRAM_MOCKS);

        // Then
        authenticated(known.last());
        assertThat(saltAndIterations(known)).isEqualTo(saltAndIterations(unknown));
    }

    @Test
    void shouldMockTheKindOfTheMajority() {
        StoredCredential md5 = StoredCredential.parse("md53175bce1d3201d16594cebf9d7eb3f9d");
        StoredCredential plain = StoredCredential.parse("pencil");
        StoredCredential scram = SCRAM_MOCKS.scramSecretFor("x");

        assertThat(MockKind.ofMajority(List.of())).isEqualTo(MockKind.SCRAM_SHA_256);
        assertThat(MockKind.ofMajority(List.of(md5))).isEqualTo(MockKind.MD5);
        assertThat(MockKind.ofMajority(List.of(md5, md5, scram))).isEqualTo(MockKind.MD5);
        assertThat(MockKind.ofMajority(List.of(md5, scram))).isEqualTo(MockKind.SCRAM_SHA_256);
        assertThat(MockKind.ofMajority(List.of(md5, plain, scram))).isEqualTo(MockKind.SCRAM_SHA_256);
    }

    @Test
    void shouldWantALongKeyAndKeepItToItself() {
        assertThatIllegalArgumentException().isThrownBy(() -> new MockSecrets(new byte[31], MockKind.MD5));
        assertThat(MD5_MOCKS).hasToString("MockSecrets[MD5, ***]");
    }

    /// What a client saw, and how it ended.
    private record Conversation(
            String serverFirst, List<String> shapes, int maxResponseLength, AuthenticationStep last) {}

    private static Conversation scramLogin(
            String user, Optional<? extends HashedCredential> credential, MockSecrets mocks) {
        AuthenticationExchange server =
                ExchangeSelection.exchangeFor(user, credential, mocks, Optional.empty(), RANDOM);
        ScramClientExchange client = new ScramClientExchange(
                new ScramClientExchange.FromPassword(PASSWORD), new ScramBinding.None(), RANDOM);
        List<String> shapes = new ArrayList<>();
        shapes.add(server.start().toString());
        AuthenticationStep challenged = server.onResponse(saslInitial(text(client.initialMessage())));
        String serverFirst = saslContinue(challenged);
        shapes.add(serverFirst.replaceAll("r=[^,]{48},s=[^,]{24},", "r=48,s=24,"));
        NeedsSaltedPassword needed = (NeedsSaltedPassword) client.onServerFirst(Answers.bytes(serverFirst));
        byte[] salted = SaltedPasswords.derive(needed.password(), needed.salt(), needed.iterations());
        AuthenticationStep last =
                server.onResponse(sasl(text(client.withSaltedPassword(salted).message())));
        shapes.add(last.getClass().getSimpleName());
        return new Conversation(serverFirst, shapes, server.maxResponseLength(), last);
    }

    private static String saltAndIterations(Conversation conversation) {
        return conversation.serverFirst().substring(conversation.serverFirst().indexOf(",s="));
    }

    private static String saltShownTo(String user, MockSecrets mocks) {
        ScramSecret secret = mocks.scramSecretFor(user);
        assertThat(secret.iterations()).isEqualTo(4096);
        assertThat(secret.salt()).hasSize(16);
        return Base64.getEncoder().encodeToString(secret.salt());
    }

    private static MockSecrets mocks(int seed, MockKind kind) {
        byte[] key = new byte[32];
        Arrays.fill(key, (byte) seed);
        return new MockSecrets(key, kind);
    }
}
