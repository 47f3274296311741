package org.pgporter.auth.scram;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramCrypto;
import org.pgporter.auth.credential.StrictBase64;

/// The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, for logging in to PostgreSQL. Used once, by one thread at
/// a time.
///
/// ```
///   Created ─ initialMessage() ─► AwaitingServerFirst
///                                   │ onServerFirst()
///                                   ├─ from keys ───────────────────────────────────► AwaitingServerFinal
///                                   └─ from a password ─► AwaitingSaltedPassword          ▲      │
///                                                           └─ withSaltedPassword() ──────┘      │ onServerFinal()
///                                                                                                ▼
///                                                                                              Ended
/// ```
///
/// What the server sends wrong is a result ([Failed]) and leads from everywhere to Ended. What the caller does
/// out of turn is an [IllegalStateException].
public final class ScramClientExchange {
    /// Longest message of a server, in bytes: nonce and salt (in Base64) at their limits, with room for the
    /// rest.
    static final int MAX_MESSAGE_LENGTH = 4096;

    /// How much of a server's own error text is passed on, in characters.
    private static final int MAX_ERROR_LENGTH = 64;

    /// What we log in with.
    public sealed interface Credential permits FromPassword, FromKeys {}

    /// @throws IllegalArgumentException if the password is empty
    public record FromPassword(Secret password) implements Credential {
        public FromPassword {
            if (password.isEmpty()) {
                throw new IllegalArgumentException("the password is empty");
            }
        }
    }

    /// Keys learned from a client (passthrough), or kept from an earlier derivation with the same salt and
    /// iterations.
    public record FromKeys(ScramKeys keys) implements Credential {}

    /// What follows from a message of the server.
    public sealed interface Step permits SendFinal, NeedsSaltedPassword, ServerVerified, Failed {}

    /// Send this as `SASLResponse`.
    public record SendFinal(byte[] message) implements Step {}

    /// Derive the salted password by [SaltedPasswords#derive], off the event loop, and go on by
    /// [ScramClientExchange#withSaltedPassword].
    ///
    /// @param salt 1 to [ScramLimits#MAX_SALT_LENGTH] bytes
    /// @param iterations 1 to [ScramLimits#MAX_ITERATIONS]
    public record NeedsSaltedPassword(Secret password, byte[] salt, int iterations) implements Step {}

    /// The server has proven that it knows the secret; `AuthenticationOk` may follow. An `AuthenticationOk`
    /// without this step before it is not to be trusted.
    public record ServerVerified() implements Step {}

    /// The login has failed. No variant contains anything secret.
    public sealed interface Failed extends Step permits Refused, NotProven, Malformed {
        String reason();
    }

    /// The server says no (`e=…`). PostgreSQL itself sends an `ErrorResponse` instead.
    public record Refused(String reason) implements Failed {}

    /// The server's signature is wrong: it does not know the secret, and may be somebody else.
    public record NotProven(String reason) implements Failed {}

    /// The server's message cannot be read, or asks for more than our limits.
    public record Malformed(String reason) implements Failed {}

    private sealed interface State {
        record Created() implements State {}

        record AwaitingServerFirst() implements State {}

        record AwaitingSaltedPassword(ServerFirstMessage serverFirst) implements State {}

        record AwaitingServerFinal(byte[] authMessage, byte[] serverKey) implements State {}

        record Ended() implements State {}
    }

    private final Credential credential;
    private final ScramBinding binding;
    private final String clientNonce;
    private final String clientFirstBare;
    private State state = new State.Created();

    /// @param binding what the connection and the server's offer allow
    public ScramClientExchange(Credential credential, ScramBinding binding, SecureRandom random) {
        this(credential, binding, "", Nonces.next(random));
    }

    /// @param user for test vectors; PostgreSQL ignores it, so that it stays empty otherwise
    ScramClientExchange(Credential credential, ScramBinding binding, String user, String clientNonce) {
        this.credential = credential;
        this.binding = binding;
        this.clientNonce = clientNonce;
        this.clientFirstBare = "n=" + user + ",r=" + clientNonce;
    }

    /// The data of `SASLInitialResponse`, which names the mechanism of the binding.
    public byte[] initialMessage() {
        if (!(take() instanceof State.Created)) {
            throw outOfTurn();
        }
        state = new State.AwaitingServerFirst();
        return bytes(binding.gs2Header() + clientFirstBare);
    }

    /// Takes the data of `AuthenticationSASLContinue`.
    ///
    /// @return [SendFinal], [NeedsSaltedPassword] or [Failed]
    public Step onServerFirst(byte[] message) {
        if (!(take() instanceof State.AwaitingServerFirst)) {
            throw outOfTurn();
        }
        try {
            ServerFirstMessage serverFirst = ServerFirstMessage.read(message, clientNonce);
            return switch (credential) {
                case FromKeys(var keys) -> finalMessage(serverFirst, keys);
                case FromPassword(var password) -> {
                    state = new State.AwaitingSaltedPassword(serverFirst);
                    yield new NeedsSaltedPassword(password, serverFirst.salt(), serverFirst.iterations());
                }
            };
        } catch (MalformedScramException e) {
            return new Malformed(e.message());
        }
    }

    /// Takes the salted password that [NeedsSaltedPassword] asked for.
    ///
    /// @param saltedPassword 32 bytes; not kept, and the caller's to wipe
    public SendFinal withSaltedPassword(byte[] saltedPassword) {
        if (!(take() instanceof State.AwaitingSaltedPassword(var serverFirst))) {
            throw outOfTurn();
        }
        return finalMessage(serverFirst, SaltedPasswords.keys(saltedPassword));
    }

    /// Takes the data of `AuthenticationSASLFinal`.
    ///
    /// @return [ServerVerified] or [Failed]
    public Step onServerFinal(byte[] message) {
        if (!(take() instanceof State.AwaitingServerFinal(var authMessage, var serverKey))) {
            throw outOfTurn();
        }
        try {
            AttributeReader reader = AttributeReader.of(message, MAX_MESSAGE_LENGTH);
            if (reader.nextIs('e')) {
                return new Refused("the server refused the login: " + readable(reader.value('e')));
            }
            byte[] signature = StrictBase64.decode(reader.value('v'))
                    .orElseThrow(() -> MalformedScramException.because("malformed server signature"));
            if (!MessageDigest.isEqual(ScramCrypto.hmac(serverKey, authMessage), signature)) {
                return new NotProven("the server's signature is wrong");
            }
            return new ServerVerified();
        } catch (MalformedScramException e) {
            return new Malformed(e.message());
        }
    }

    private SendFinal finalMessage(ServerFirstMessage serverFirst, ScramKeys keys) {
        String withoutProof = "c=" + binding.attribute() + ",r=" + serverFirst.nonce();
        byte[] authMessage = bytes(clientFirstBare + "," + serverFirst.text() + "," + withoutProof);
        byte[] clientKey = keys.clientKey();
        byte[] signature = ScramCrypto.hmac(ScramCrypto.storedKey(clientKey), authMessage);
        byte[] proof = ScramCrypto.xor(clientKey, signature);
        Arrays.fill(clientKey, (byte) 0);
        state = new State.AwaitingServerFinal(authMessage, keys.serverKey());
        return new SendFinal(bytes(withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof)));
    }

    /// The state so far; unless a new one is set, the exchange has ended.
    private State take() {
        State before = state;
        state = new State.Ended();
        return before;
    }

    private static IllegalStateException outOfTurn() {
        return new IllegalStateException("the exchange does not wait for this");
    }

    private static String readable(String text) {
        String shortened = text.substring(0, Math.min(text.length(), MAX_ERROR_LENGTH));
        return shortened.replaceAll("[^\\x20-\\x7E]", "?");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
