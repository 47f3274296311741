package org.pgporter.auth.scram;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.AuthenticationStep.Challenge;
import org.pgporter.auth.AuthenticationStep.Malformed;
import org.pgporter.auth.AuthenticationStep.Refused;
import org.pgporter.auth.AuthenticationStep.Rejected;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Identity;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.ServerChallenge.SaslContinue;
import org.pgporter.auth.ServerChallenge.SaslMechanisms;
import org.pgporter.auth.credential.ScramCrypto;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.scram.ClientFirstMessage.Flag;

/// The server's side of SCRAM-SHA-256, and of SCRAM-SHA-256-PLUS where there is a TLS connection to bind to.
///
/// ```
///   Created ─ start() ─► AwaitingMechanism ─ SaslInitial with data ────────────────► AwaitingFinal ─ Sasl ─► Ended
///                               │                                                        ▲
///                               └─ SaslInitial without data ─► AwaitingFirst ─ Sasl ─────┘
/// ```
///
/// What a client sends wrong leads from everywhere to Ended. A client that could have bound itself to the channel and
/// was told that we cannot (`y`) is refused where we can: somebody between us has changed what we offered.
public final class ScramServerExchange implements AuthenticationExchange {
    /// The SASL mechanism's name.
    public static final String MECHANISM = "SCRAM-SHA-256";

    /// The name of the same with channel binding.
    public static final String MECHANISM_PLUS = "SCRAM-SHA-256-PLUS";

    /// The method's name in `pg_hba.conf`.
    public static final String METHOD = "scram-sha-256";

    /// Longest message of a client, in bytes; `PG_MAX_SASL_MESSAGE_LENGTH` in PostgreSQL.
    static final int MAX_MESSAGE_LENGTH = 1024;

    private sealed interface State {
        record Created() implements State {}

        record AwaitingMechanism() implements State {}

        record AwaitingFirst(boolean bound) implements State {}

        record AwaitingFinal(ClientFirstMessage clientFirst, String serverFirst, String nonce) implements State {}

        record Ended() implements State {}
    }

    private final String user;
    private final List<ScramSecret> secrets;
    private final boolean mock;
    private final String serverNonce;
    private final Optional<byte[]> endPoint;
    private State state = new State.Created();

    /// @param endPoint the channel binding `tls-server-end-point` of the connection; empty where there is none
    public ScramServerExchange(String user, ScramSecret secret, Optional<byte[]> endPoint, SecureRandom random) {
        this(user, List.of(secret), false, endPoint, Nonces.next(random));
    }

    ScramServerExchange(
            String user, List<ScramSecret> secrets, boolean mock, Optional<byte[]> endPoint, String serverNonce) {
        this.user = user;
        this.secrets = secrets;
        this.mock = mock;
        this.endPoint = endPoint;
        this.serverNonce = serverNonce;
    }

    /// The exchange of a user that does not exist: the same steps, and rejected whatever the client proves.
    ///
    /// @param secret a secret made up for the name
    /// @param endPoint the channel binding of the connection, as for a user that exists
    public static ScramServerExchange mock(
            String user, ScramSecret secret, Optional<byte[]> endPoint, SecureRandom random) {
        return new ScramServerExchange(user, List.of(secret), true, endPoint, Nonces.next(random));
    }

    /// The exchange of a user whose password is being changed: both are good.
    ///
    /// @param previous has the salt and the iterations of the current one
    public static ScramServerExchange rotating(
            String user, ScramSecret current, ScramSecret previous, Optional<byte[]> endPoint, SecureRandom random) {
        return new ScramServerExchange(user, List.of(current, previous), false, endPoint, Nonces.next(random));
    }

    @Override
    public AuthenticationStep start() {
        if (!(state instanceof State.Created)) {
            throw new IllegalStateException("the exchange has been started already");
        }
        state = new State.AwaitingMechanism();
        return new Challenge(new SaslMechanisms(offered()));
    }

    @Override
    public AuthenticationStep onResponse(ClientResponse response) {
        State before = state;
        state = new State.Ended();
        try {
            return switch (before) {
                case State.Created _, State.Ended _ ->
                    throw new IllegalStateException("the exchange waits for no response");
                case State.AwaitingMechanism _ -> onMechanism(response);
                case State.AwaitingFirst(var bound) -> onFirst(bound, saslData(response));
                case State.AwaitingFinal awaiting -> onFinal(awaiting, saslData(response));
            };
        } catch (MalformedScramException e) {
            return new Malformed(e.message());
        }
    }

    @Override
    public int maxResponseLength() {
        return MAX_MESSAGE_LENGTH;
    }

    private AuthenticationStep onMechanism(ClientResponse response) throws MalformedScramException {
        if (!(response instanceof ClientResponse.SaslInitial(var mechanism, var data))) {
            throw new MalformedScramException("expected a SASL initial response");
        }
        if (!offered().contains(mechanism)) {
            throw new MalformedScramException("client selected an invalid SASL authentication mechanism");
        }
        boolean bound = mechanism.equals(MECHANISM_PLUS);
        if (data.isEmpty()) {
            state = new State.AwaitingFirst(bound);
            return new Challenge(new SaslContinue(new byte[0]));
        }
        return onFirst(bound, data.get());
    }

    private List<String> offered() {
        return endPoint.isPresent() ? List.of(MECHANISM_PLUS, MECHANISM) : List.of(MECHANISM);
    }

    private AuthenticationStep onFirst(boolean bound, byte[] message) throws MalformedScramException {
        ClientFirstMessage clientFirst = ClientFirstMessage.read(message);
        boolean binds = clientFirst.flag() == Flag.BINDS;
        if (bound != binds) {
            throw MalformedScramException.because(
                    bound ? "it has no channel binding data" : "it has channel binding data");
        }
        if (clientFirst.flag() == Flag.BELIEVES_WE_CANNOT && endPoint.isPresent()) {
            return new Refused(
                    "SCRAM channel binding negotiation error",
                    "the client believes that channel binding is not offered, but it was");
        }
        String nonce = clientFirst.nonce() + serverNonce;
        ScramSecret shown = secrets.getFirst();
        String salt = Base64.getEncoder().encodeToString(shown.salt());
        String serverFirst = "r=" + nonce + ",s=" + salt + ",i=" + shown.iterations();
        state = new State.AwaitingFinal(clientFirst, serverFirst, nonce);
        return new Challenge(new SaslContinue(serverFirst.getBytes(StandardCharsets.ISO_8859_1)));
    }

    private AuthenticationStep onFinal(State.AwaitingFinal awaiting, byte[] message) throws MalformedScramException {
        ClientFinalMessage clientFinal = ClientFinalMessage.read(message);
        if (!clientFinal.channelBinding().equals(expectedChannelBinding(awaiting.clientFirst()))) {
            if (awaiting.clientFirst().flag() == Flag.BINDS) {
                return new Refused(
                        "SCRAM channel binding check failed", "the client is bound to a certificate that is not ours");
            }
            throw new MalformedScramException("unexpected SCRAM channel-binding attribute in client-final-message");
        }
        if (!clientFinal.nonce().equals(awaiting.nonce())) {
            throw new MalformedScramException("invalid SCRAM response: the nonce does not match");
        }
        byte[] authMessage = (awaiting.clientFirst().bare() + "," + awaiting.serverFirst() + ","
                        + clientFinal.withoutProof())
                .getBytes(StandardCharsets.ISO_8859_1);
        Optional<Authenticated> proven = Optional.empty();
        for (ScramSecret secret : secrets) {
            Optional<Authenticated> by = proven(secret, clientFinal.proof(), authMessage);
            proven = proven.isPresent() ? proven : by;
        }
        if (mock) {
            return new Rejected("no such user");
        }
        return proven.<AuthenticationStep>map(it -> it).orElseGet(() -> new Rejected("wrong password (scram-sha-256)"));
    }

    private Optional<Authenticated> proven(ScramSecret secret, byte[] proof, byte[] authMessage) {
        byte[] storedKey = secret.storedKey();
        byte[] clientKey = ScramCrypto.xor(proof, ScramCrypto.hmac(storedKey, authMessage));
        try {
            return MessageDigest.isEqual(storedKey, ScramCrypto.storedKey(clientKey))
                    ? Optional.of(authenticated(secret, clientKey, authMessage))
                    : Optional.empty();
        } finally {
            Arrays.fill(clientKey, (byte) 0);
        }
    }

    private String expectedChannelBinding(ClientFirstMessage first) {
        return ScramBinding.attribute(
                first.gs2Header(), first.flag() == Flag.BINDS ? endPoint.orElseThrow() : new byte[0]);
    }

    private Authenticated authenticated(ScramSecret secret, byte[] clientKey, byte[] authMessage) {
        byte[] serverKey = secret.serverKey();
        String serverFinal = "v=" + Base64.getEncoder().encodeToString(ScramCrypto.hmac(serverKey, authMessage));
        return new Authenticated(
                Identity.of(user, METHOD).withProof(new ScramKeys(clientKey, serverKey)),
                Optional.of(serverFinal.getBytes(StandardCharsets.ISO_8859_1)));
    }

    private static byte[] saslData(ClientResponse response) throws MalformedScramException {
        if (response instanceof ClientResponse.Sasl(var data)) {
            return data;
        }
        throw new MalformedScramException("expected a SASL response");
    }
}
