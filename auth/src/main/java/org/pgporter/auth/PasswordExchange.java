package org.pgporter.auth;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Asks for the password itself and lets a [PasswordCheck] decide.
public final class PasswordExchange implements AuthenticationExchange {
    /// The longest password or token, in bytes with the NUL that ends it: `PG_MAX_AUTH_TOKEN_LENGTH` in `libpq/auth.h`.
    public static final int MAX_PASSWORD_LENGTH = 65_535;

    private enum State {
        NEW,
        ASKED,
        ENDED
    }

    private final PasswordCheck check;
    private State state = State.NEW;

    public PasswordExchange(PasswordCheck check) {
        this.check = check;
    }

    @Override
    public AuthenticationStep start() {
        expect(State.NEW);
        state = State.ASKED;
        return new AuthenticationStep.Challenge(new ServerChallenge.CleartextPassword());
    }

    @Override
    public AuthenticationStep onResponse(ClientResponse response) {
        expect(State.ASKED);
        state = State.ENDED;
        if (!(response instanceof ClientResponse.Password(byte[] text))) {
            return new AuthenticationStep.Malformed("expected a password");
        }
        // As PostgreSQL, which does not even ask: an empty password opens nothing, and LDAP would take it for a bind
        // of nobody.
        if (text.length == 0) {
            return new AuthenticationStep.Rejected("the password is empty");
        }
        // HMAC takes a key with zeros behind it for the key without them.
        for (byte b : text) {
            if (b == 0) {
                return new AuthenticationStep.Malformed("invalid password packet size");
            }
        }
        return utf8(text)
                .<AuthenticationStep>map(password -> new AuthenticationStep.Waits(check.check(password)))
                .orElseGet(() -> new AuthenticationStep.Rejected("the password is not valid UTF-8"));
    }

    @Override
    public int maxResponseLength() {
        return MAX_PASSWORD_LENGTH;
    }

    private static Optional<Secret> utf8(byte[] text) {
        try {
            return Optional.of(Secret.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text))
                    .toString()));
        } catch (CharacterCodingException _) {
            return Optional.empty();
        }
    }

    private void expect(State expected) {
        if (state != expected) {
            throw new IllegalStateException("the exchange is " + state + ", not " + expected);
        }
    }
}
