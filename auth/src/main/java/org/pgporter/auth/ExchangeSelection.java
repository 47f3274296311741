package org.pgporter.auth;

import java.security.SecureRandom;
import java.util.Optional;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.RotatedSecret;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.md5.Md5Exchange;
import org.pgporter.auth.scram.ScramServerExchange;

/// Chooses the exchange for a client by what is stored for it. The only place that knows all mechanisms.
public final class ExchangeSelection {
    private ExchangeSelection() {}

    /// The exchange that decides whether the client is this user.
    ///
    /// @param user the name in the client's startup packet
    /// @param credential what is stored for it; empty if there is no such user, who then is led through a mock
    ///     exchange with the same rounds, and rejected at the end. A plain password is first made a secret by
    ///     [MockSecrets#adHocSecret], which costs CPU and therefore is the caller's to place.
    /// @param mocks says what unknown users are shown
    /// @param endPoint the channel binding `tls-server-end-point` of the client's connection; empty without TLS
    /// @param random for nonces and salts
    public static AuthenticationExchange exchangeFor(
            String user,
            Optional<? extends HashedCredential> credential,
            MockSecrets mocks,
            Optional<byte[]> endPoint,
            SecureRandom random) {
        if (credential.isEmpty()) {
            return switch (mocks.kind()) {
                case SCRAM_SHA_256 -> ScramServerExchange.mock(user, mocks.scramSecretFor(user), endPoint, random);
                case MD5 -> Md5Exchange.mock(user, random);
            };
        }
        return switch (credential.get()) {
            case ScramSecret secret -> new ScramServerExchange(user, secret, endPoint, random);
            case Md5Secret secret -> new Md5Exchange(user, secret, random);
            case RotatedSecret(ScramSecret current, ScramSecret previous) ->
                ScramServerExchange.rotating(user, current, previous, endPoint, random);
            case RotatedSecret(Md5Secret current, Md5Secret previous) ->
                Md5Exchange.rotating(user, current, previous, random);
            case RotatedSecret _ -> throw new IllegalStateException("two secrets of different kinds");
        };
    }
}
