package org.pgporter.auth.scram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.bytes;
import static org.pgporter.auth.Answers.malformed;
import static org.pgporter.auth.Answers.rejected;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.StringPreparation;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.AuthenticationStep.Challenge;
import org.pgporter.auth.AuthenticationStep.Refused;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;
import org.pgporter.auth.ServerChallenge;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.scram.ScramClientExchange.FromKeys;
import org.pgporter.auth.scram.ScramClientExchange.FromPassword;
import org.pgporter.auth.scram.ScramClientExchange.NeedsSaltedPassword;
import org.pgporter.auth.scram.ScramClientExchange.SendFinal;
import org.pgporter.auth.scram.ScramClientExchange.ServerVerified;
import org.pgporter.auth.scram.ScramClientExchange.Step;

/// SCRAM-SHA-256-PLUS: who is bound to which certificate, and what happens to those who are not.
class ScramPlusTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] OURS = bytes("hash of our certificate, 32 bytes");
    private static final byte[] ANOTHERS = bytes("hash of another\'s one, of 32 byte");
    private static final Secret PASSWORD = Secret.of("s3cret");
    private static final ScramSecret SECRET = ScramSecret.fromPassword(PASSWORD, bytes("0123456789abcdef"), 16);
    private static final ScramKeys KEYS =
            SaltedPasswords.keys(SaltedPasswords.derive(PASSWORD, bytes("0123456789abcdef"), 16));

    private final ScramServerExchange server = new ScramServerExchange("alice", SECRET, Optional.of(OURS), RANDOM);

    @Test
    void shouldOfferTheBindingFirstWhereThereIsSomethingToBindTo() {
        assertThat(server.start()).isEqualTo(offer("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"));
        assertThat(new ScramServerExchange("alice", SECRET, Optional.empty(), RANDOM).start())
                .isEqualTo(offer("SCRAM-SHA-256"));
    }

    @Test
    void shouldOfferTheSameToUnknownUsersAndRejectThemAtTheEnd() {
        ScramServerExchange mock = ScramServerExchange.mock("nobody", SECRET, Optional.of(OURS), RANDOM);

        assertThat(mock.start()).isEqualTo(offer("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"));
        rejected(run(mock, new ScramBinding.ServerEndPoint(OURS)).server());
    }

    private static Challenge offer(String... mechanisms) {
        return new Challenge(new ServerChallenge.SaslMechanisms(List.of(mechanisms)));
    }

    @Test
    void shouldLetInWhoIsBoundToOurCertificate() {
        server.start();
        Login login = run(server, new ScramBinding.ServerEndPoint(OURS));

        assertThat(login.client()).isEqualTo(new ServerVerified());
        assertThat(authenticated(login.server()).identity().proof()).contains(KEYS);
    }

    @Test
    void shouldLetInWithLearnedKeysAsWithThePassword() {
        server.start();

        assertThat(run(server, new ScramBinding.ServerEndPoint(OURS), new FromKeys(KEYS))
                        .client())
                .isEqualTo(new ServerVerified());
    }

    @Test
    void shouldLetInWhoCannotBind() {
        server.start();

        assertThat(run(server, new ScramBinding.None()).client()).isEqualTo(new ServerVerified());
    }

    @Test
    void shouldRefuseWhoIsBoundToAnotherCertificate() {
        server.start();

        assertThat(run(server, new ScramBinding.ServerEndPoint(ANOTHERS)).server())
                .isInstanceOfSatisfying(
                        Refused.class, it -> assertThat(it.message()).isEqualTo("SCRAM channel binding check failed"));
    }

    @Test
    void shouldRefuseWhoWasToldThatWeCannotBind() {
        server.start();

        assertThat(server.onResponse(initial("SCRAM-SHA-256", "y,,n=,r=client")))
                .isInstanceOfSatisfying(
                        Refused.class,
                        it -> assertThat(it.message()).isEqualTo("SCRAM channel binding negotiation error"));
    }

    @Test
    void shouldLetInWhoBelievesThatWeCannotBindWhereThatIsTrue() {
        ScramServerExchange plain = new ScramServerExchange("alice", SECRET, Optional.empty(), RANDOM);
        plain.start();

        assertThat(run(plain, new ScramBinding.NotOffered()).client()).isEqualTo(new ServerVerified());
    }

    @ParameterizedTest
    @ValueSource(strings = {"n,,n=,r=client", "y,,n=,r=client"})
    void shouldNotTakeTheMechanismForTheBinding(String first) {
        server.start();

        assertThat(malformed(server.onResponse(initial("SCRAM-SHA-256-PLUS", first))))
                .isEqualTo("malformed SCRAM message: it has no channel binding data");
    }

    @Test
    void shouldNotTakeABindingThatTheMechanismDoesNotHave() {
        server.start();

        assertThat(malformed(server.onResponse(initial("SCRAM-SHA-256", "p=tls-server-end-point,,n=,r=client"))))
                .isEqualTo("malformed SCRAM message: it has channel binding data");
    }

    @Test
    void shouldNotLetAnybodyChooseWhatWasNotOffered() {
        ScramServerExchange plain = new ScramServerExchange("alice", SECRET, Optional.empty(), RANDOM);
        plain.start();

        assertThat(malformed(plain.onResponse(initial("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=client"))))
                .isEqualTo("client selected an invalid SASL authentication mechanism");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "p=tls-unique,,n=,r=client",
                "p=tls-exporter,,n=,r=client",
                "p=TLS-server-end-point,,n=,r=client",
                "p=tls-server-end-point2,,n=,r=client",
                "p=,,n=,r=client",
                "p=tls-server-end-point"
            })
    void shouldKnowOneTypeOfBindingOnly(String first) {
        server.start();

        assertThat(server.onResponse(initial("SCRAM-SHA-256-PLUS", first)))
                .isInstanceOf(AuthenticationStep.Malformed.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"p,,n=,r=client", "p:x,,n=,r=client", "p", "p=tls-server-end-point,a=b,n=,r=c", "p=x"})
    void shouldCallOtherHeadersMalformed(String first) {
        server.start();

        assertThat(server.onResponse(initial("SCRAM-SHA-256-PLUS", first)))
                .isInstanceOf(AuthenticationStep.Malformed.class);
    }

    @Test
    void shouldAcceptAForeignClient() throws Exception {
        ScramClient client = ScramClient.builder()
                .advertisedMechanisms(List.of("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"))
                .username("*")
                .password("s3cret".toCharArray())
                .stringPreparation(StringPreparation.POSTGRESQL_PREPARATION)
                .channelBinding("tls-server-end-point", OURS)
                .build();
        server.start();
        AuthenticationStep challenged = server.onResponse(initial(
                client.getScramMechanism().getName(),
                client.clientFirstMessage().toString()));
        client.serverFirstMessage(data(challenged));
        Authenticated last = authenticated(server.onResponse(
                new ClientResponse.Sasl(bytes(client.clientFinalMessage().toString()))));

        assertThat(client.getScramMechanism().getName()).isEqualTo("SCRAM-SHA-256-PLUS");
        assertThat(client.serverFinalMessage(new String(last.finalData().orElseThrow())))
                .isNotNull();
    }

    @Test
    void shouldNotShowWhatItIsBoundTo() {
        assertThat(new ScramBinding.ServerEndPoint(OURS)).hasToString("ServerEndPoint");
    }

    private record Login(AuthenticationStep server, Step client) {}

    private static Login run(ScramServerExchange server, ScramBinding binding) {
        return run(server, binding, new FromPassword(PASSWORD));
    }

    private static Login run(
            ScramServerExchange server, ScramBinding binding, ScramClientExchange.Credential credential) {
        ScramClientExchange client = new ScramClientExchange(credential, binding, RANDOM);
        AuthenticationStep challenged = server.onResponse(
                new ClientResponse.SaslInitial(binding.mechanism(), Optional.of(client.initialMessage())));
        Step step = client.onServerFirst(bytes(data(challenged)));
        if (step instanceof NeedsSaltedPassword(var password, var salt, var iterations)) {
            step = client.withSaltedPassword(SaltedPasswords.derive(password, salt, iterations));
        }
        AuthenticationStep last = server.onResponse(new ClientResponse.Sasl(((SendFinal) step).message()));
        return last instanceof Authenticated(var _, var data)
                ? new Login(last, client.onServerFinal(data.orElseThrow()))
                : new Login(last, step);
    }

    private static ClientResponse initial(String mechanism, String data) {
        return new ClientResponse.SaslInitial(mechanism, Optional.of(bytes(data)));
    }

    private static String data(AuthenticationStep step) {
        return org.pgporter.auth.Answers.saslContinue(step);
    }
}
