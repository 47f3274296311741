package org.pgporter.auth.scram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.bytes;
import static org.pgporter.auth.Answers.sasl;
import static org.pgporter.auth.Answers.saslContinue;
import static org.pgporter.auth.Answers.saslInitial;
import static org.pgporter.auth.Answers.text;

import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramSecret;

/// The conversation of RFC 7677, section 3, word for word, with our server and with our client.
class ScramVectorTest {
    private static final String CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
    private static final String SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private static final String CLIENT_FIRST = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    private static final String SERVER_FIRST =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private static final String CLIENT_FINAL = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private static final String SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    private static final byte[] SALT = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    private static final Secret PASSWORD = Secret.of("pencil");

    @Test
    void shouldAnswerAsTheServerOfTheRfc() {
        ScramSecret secret = ScramSecret.fromPassword(PASSWORD, SALT, 4096);
        ScramServerExchange exchange =
                new ScramServerExchange("user", java.util.List.of(secret), false, Optional.empty(), SERVER_NONCE);

        assertThat(exchange.start()).isNotNull();
        assertThat(saslContinue(exchange.onResponse(saslInitial(CLIENT_FIRST)))).isEqualTo(SERVER_FIRST);
        Authenticated result = authenticated(exchange.onResponse(sasl(CLIENT_FINAL)));

        assertThat(result.finalData())
                .hasValueSatisfying(data -> assertThat(text(data)).isEqualTo(SERVER_FINAL));
        assertThat(result.identity().user()).isEqualTo("user");
        assertThat(result.identity().method()).isEqualTo("scram-sha-256");
        assertThat(result.identity().proof())
                .contains(SaltedPasswords.keys(SaltedPasswords.derive(PASSWORD, SALT, 4096)));
    }

    @Test
    void shouldAnswerAsTheClientOfTheRfc() {
        ScramClientExchange exchange = new ScramClientExchange(
                new ScramClientExchange.FromPassword(PASSWORD), new ScramBinding.None(), "user", CLIENT_NONCE);

        assertThat(text(exchange.initialMessage())).isEqualTo(CLIENT_FIRST);
        ScramClientExchange.Step needed = exchange.onServerFirst(bytes(SERVER_FIRST));
        assertThat(needed).isInstanceOfSatisfying(ScramClientExchange.NeedsSaltedPassword.class, asked -> {
            assertThat(asked.salt()).isEqualTo(SALT);
            assertThat(asked.iterations()).isEqualTo(4096);
            assertThat(asked.password()).isEqualTo(PASSWORD);
        });
        byte[] salted = SaltedPasswords.derive(PASSWORD, SALT, 4096);
        assertThat(text(exchange.withSaltedPassword(salted).message())).isEqualTo(CLIENT_FINAL);
        assertThat(exchange.onServerFinal(bytes(SERVER_FINAL))).isEqualTo(new ScramClientExchange.ServerVerified());
    }
}
