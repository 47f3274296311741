package org.pgporter.auth.oauthbearer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Challenge;
import org.pgporter.auth.AuthenticationStep.Malformed;
import org.pgporter.auth.AuthenticationStep.Refusal;
import org.pgporter.auth.AuthenticationStep.Rejected;
import org.pgporter.auth.AuthenticationStep.Waits;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.PasswordCheck;
import org.pgporter.auth.ServerChallenge;

/// The server's side of OAUTHBEARER.
///
/// ```
///  NEW ── mechanism ──► OFFERED ── nothing yet ──► AWAITS_TOKEN
///                          │ token                     │ token
///                          ├───────────────────────────┘
///                          ▼
///                       decided ── good ──► Authenticated, without SASLFinal
///                          │ none, or not good: the client is told where it gets one
///                          ▼
///                        TOLD ── the byte 0x01 ──► Rejected
/// ```
///
/// libpq takes the first mechanism it knows, so none but this one is offered; and it takes a final message
/// for an error.
public final class OauthBearerExchange implements AuthenticationExchange {
    public static final String MECHANISM = "OAUTHBEARER";

    private enum State {
        NEW,
        OFFERED,
        AWAITS_TOKEN,
        DECIDING,
        TOLD,
        ENDED
    }

    private final WhereToGetTokens where;
    private final PasswordCheck check;
    private volatile State state = State.NEW;
    private volatile Rejected rejection = new Rejected("the client asks where it gets a token", Refusal.DISCOVERY);

    /// @param check decides about the token
    public OauthBearerExchange(WhereToGetTokens where, PasswordCheck check) {
        this.where = where;
        this.check = check;
    }

    @Override
    public AuthenticationStep start() {
        if (state != State.NEW) {
            throw new IllegalStateException("the exchange has begun");
        }
        state = State.OFFERED;
        return new Challenge(new ServerChallenge.SaslMechanisms(List.of(MECHANISM)));
    }

    @Override
    public AuthenticationStep onResponse(ClientResponse response) {
        return switch (state) {
            case OFFERED -> {
                if (!(response instanceof ClientResponse.SaslInitial(var mechanism, var data))) {
                    yield ended(new Malformed("expected a SASL response"));
                }
                if (!mechanism.equals(MECHANISM)) {
                    yield ended(new Malformed("client selected an invalid SASL authentication mechanism"));
                }
                if (data.isEmpty()) {
                    state = State.AWAITS_TOKEN;
                    yield new Challenge(new ServerChallenge.SaslContinue(new byte[0]));
                }
                yield decide(data.get());
            }
            case AWAITS_TOKEN ->
                response instanceof ClientResponse.Sasl(var data)
                        ? decide(data)
                        : ended(new Malformed("expected a SASL response"));
            case TOLD ->
                response instanceof ClientResponse.Sasl(var data)
                                && data.length == 1
                                && data[0] == BearerMessage.SEPARATOR
                        ? ended(rejection)
                        : ended(new Malformed("malformed OAUTHBEARER message"));
            case NEW, DECIDING, ENDED -> throw new IllegalStateException("the exchange is " + state);
        };
    }

    private AuthenticationStep decide(byte[] message) {
        BearerMessage read;
        try {
            read = BearerMessage.parse(message);
        } catch (BearerMessage.Malformed malformed) {
            return ended(new Malformed(malformed.words(), malformed.sqlState()));
        }
        if (read.token().isEmpty()) {
            return told();
        }
        if (read.token().get().isEmpty()) {
            rejection = new Rejected("no bearer token, or one with other characters", Refusal.BEARER_TOKEN);
            return told();
        }
        state = State.DECIDING;
        return new Waits(check.check(read.token().get()).thenApply(step -> switch (step) {
            case AuthenticationStep.Authenticated(var identity, var _) ->
                ended(new AuthenticationStep.Authenticated(identity, Optional.empty()));
            case Rejected(var reason, var _) -> {
                rejection = new Rejected(reason, Refusal.BEARER_TOKEN);
                yield told();
            }
            case AuthenticationStep other -> ended(other);
        }));
    }

    private AuthenticationStep told() {
        state = State.TOLD;
        return new Challenge(new ServerChallenge.SaslContinue(where.json().getBytes(StandardCharsets.UTF_8)));
    }

    private AuthenticationStep ended(AuthenticationStep step) {
        state = State.ENDED;
        return step;
    }

    @Override
    public int maxResponseLength() {
        return org.pgporter.auth.PasswordExchange.MAX_PASSWORD_LENGTH;
    }
}
