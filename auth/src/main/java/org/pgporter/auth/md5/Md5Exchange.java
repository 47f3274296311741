package org.pgporter.auth.md5;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.AuthenticationStep.Challenge;
import org.pgporter.auth.AuthenticationStep.Malformed;
import org.pgporter.auth.AuthenticationStep.Rejected;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Identity;
import org.pgporter.auth.Md5Hash;
import org.pgporter.auth.PasswordExchange;
import org.pgporter.auth.Secret;
import org.pgporter.auth.ServerChallenge.Md5Password;
import org.pgporter.auth.credential.Md5Secret;

/// Asks a client for MD5(stored hash, salt) and compares.
///
/// ```
///   NEW ── start() ──► ASKED ── onResponse() ──► ENDED
/// ```
public final class Md5Exchange implements AuthenticationExchange {
    /// The method's name in `pg_hba.conf`.
    public static final String METHOD = "md5";

    /// Salt length of the protocol, in bytes.
    public static final int SALT_LENGTH = 4;

    /// An honest response has 36 bytes with its NUL; a client that mistakes the challenge for a cleartext one
    /// may send a longer password and is told that it was wrong, up to the size of any password.
    private static final int MAX_RESPONSE_LENGTH = PasswordExchange.MAX_PASSWORD_LENGTH;

    private static final Md5Hash NOBODYS_HASH = new Md5Hash("0".repeat(32));

    private enum State {
        NEW,
        ASKED,
        ENDED
    }

    private final String user;
    private final List<Md5Hash> hashes;
    private final boolean mock;
    private final byte[] salt;
    private State state = State.NEW;

    public Md5Exchange(String user, Md5Secret secret, SecureRandom random) {
        this(user, List.of(secret.hash()), false, random);
    }

    private Md5Exchange(String user, List<Md5Hash> hashes, boolean mock, SecureRandom random) {
        this.user = user;
        this.hashes = hashes;
        this.mock = mock;
        this.salt = new byte[SALT_LENGTH];
        random.nextBytes(salt);
    }

    private Md5Exchange(String user, Md5Hash hash, byte[] salt) {
        this.user = user;
        this.hashes = List.of(hash);
        this.mock = false;
        this.salt = salt.clone();
    }

    /// The exchange of a user that does not exist: the same steps, and rejected whatever the client answers.
    public static Md5Exchange mock(String user, SecureRandom random) {
        return new Md5Exchange(user, List.of(NOBODYS_HASH), true, random);
    }

    /// The exchange of a user whose password is being changed: both are good.
    public static Md5Exchange rotating(String user, Md5Secret current, Md5Secret previous, SecureRandom random) {
        return new Md5Exchange(user, List.of(current.hash(), previous.hash()), false, random);
    }

    /// Holds a response that was asked for with this salt against another secret: the user's password may
    /// have changed since what we knew was read.
    ///
    /// @return any step but a challenge
    public static AuthenticationStep recheck(String user, Md5Secret secret, byte[] salt, ClientResponse response) {
        Md5Exchange exchange = new Md5Exchange(user, secret.hash(), salt);
        exchange.state = State.ASKED;
        return exchange.onResponse(response);
    }

    @Override
    public AuthenticationStep start() {
        if (state != State.NEW) {
            throw new IllegalStateException("the exchange has been started already");
        }
        state = State.ASKED;
        return new Challenge(new Md5Password(salt.clone()));
    }

    @Override
    public AuthenticationStep onResponse(ClientResponse response) {
        if (state != State.ASKED) {
            throw new IllegalStateException("the exchange waits for no response");
        }
        state = State.ENDED;
        return switch (response) {
            case ClientResponse.Password(var text) -> check(text);
            case ClientResponse.SaslInitial _, ClientResponse.Sasl _ -> new Malformed("expected a password response");
        };
    }

    @Override
    public int maxResponseLength() {
        return MAX_RESPONSE_LENGTH;
    }

    private AuthenticationStep check(byte[] text) {
        if (text.length >= MAX_RESPONSE_LENGTH || containsNul(text)) {
            return new Malformed("invalid password packet size");
        }
        if (text.length == 0) {
            return new Rejected("empty password returned by client");
        }
        Md5Hash ofNothing = Md5Response.hashOf(user, Secret.of(""));
        Optional<Md5Hash> proven = Optional.empty();
        for (Md5Hash hash : hashes) {
            byte[] expected = Md5Response.forHash(hash, salt).getBytes(StandardCharsets.US_ASCII);
            if (MessageDigest.isEqual(expected, text) && proven.isEmpty()) {
                proven = Optional.of(hash);
            }
        }
        if (mock) {
            return new Rejected("no such user");
        }
        if (proven.isEmpty()) {
            return new Rejected("wrong password (md5)");
        }
        if (proven.get().equals(ofNothing)) {
            return new Rejected("the stored password is empty");
        }
        return new Authenticated(Identity.of(user, METHOD).withProof(proven.get()), Optional.empty());
    }

    private static boolean containsNul(byte[] text) {
        for (byte b : text) {
            if (b == 0) {
                return true;
            }
        }
        return false;
    }
}
