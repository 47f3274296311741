package org.pgporter.auth;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.assertj.core.api.Assertions;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.AuthenticationStep.Challenge;
import org.pgporter.auth.AuthenticationStep.Malformed;
import org.pgporter.auth.AuthenticationStep.Rejected;

/// Shorthand for conversations with an exchange.
public final class Answers {
    private Answers() {}

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    public static ClientResponse saslInitial(String data) {
        return new ClientResponse.SaslInitial("SCRAM-SHA-256", Optional.of(bytes(data)));
    }

    public static ClientResponse sasl(String data) {
        return new ClientResponse.Sasl(bytes(data));
    }

    public static ClientResponse password(String text) {
        return new ClientResponse.Password(bytes(text));
    }

    /// The text of an `AuthenticationSASLContinue`.
    public static String saslContinue(AuthenticationStep step) {
        Assertions.assertThat(step).isInstanceOf(Challenge.class);
        ServerChallenge challenge = ((Challenge) step).challenge();
        Assertions.assertThat(challenge).isInstanceOf(ServerChallenge.SaslContinue.class);
        return text(((ServerChallenge.SaslContinue) challenge).data());
    }

    public static byte[] md5Salt(AuthenticationStep step) {
        Assertions.assertThat(step).isInstanceOf(Challenge.class);
        ServerChallenge challenge = ((Challenge) step).challenge();
        Assertions.assertThat(challenge).isInstanceOf(ServerChallenge.Md5Password.class);
        return ((ServerChallenge.Md5Password) challenge).salt();
    }

    public static Authenticated authenticated(AuthenticationStep step) {
        Assertions.assertThat(step).isInstanceOf(Authenticated.class);
        return (Authenticated) step;
    }

    public static String malformed(AuthenticationStep step) {
        Assertions.assertThat(step).isInstanceOf(Malformed.class);
        return ((Malformed) step).message();
    }

    public static String rejected(AuthenticationStep step) {
        Assertions.assertThat(step).isInstanceOf(Rejected.class);
        return ((Rejected) step).reasonForLog();
    }
}
