package org.pgporter.auth.jwt;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a token must say to be accepted, its signature aside.
///
/// @param issuer `iss`, letter for letter; empty: it is not looked at
/// @param audiences one of them must stand in `aud`; empty: it is not looked at, which only tokens for one
///     key file allow
/// @param authorizedParties one of them must be `azp` or `client_id`; empty: any
/// @param scopes all of them must stand in `scope` or `scp`
/// @param algorithms what it may be signed with
/// @param keyIdRequired a token that does not name its key is refused
/// @param leeway how far the issuer's clock may differ from ours
/// @param maxAge how long ago a token may have been issued, whatever `exp` says; empty: however long
/// @param maxLength of the token, in characters
public record TokenPolicy(
        Optional<String> issuer,
        List<String> audiences,
        List<String> authorizedParties,
        List<String> scopes,
        Set<TokenAlgorithm> algorithms,
        boolean keyIdRequired,
        Duration leeway,
        Optional<Duration> maxAge,
        int maxLength) {
    /// Tokens of people with many groups have 4 to 8 kB.
    public static final int DEFAULT_MAX_LENGTH = 16 * 1024;

    /// What a message of a login can carry (`PG_MAX_AUTH_TOKEN_LENGTH` in PostgreSQL's `libpq/auth.h`).
    public static final int MOST_LENGTH = 65_535;

    public static final Duration DEFAULT_LEEWAY = Duration.ofSeconds(30);

    public TokenPolicy {
        audiences = List.copyOf(audiences);
        authorizedParties = List.copyOf(authorizedParties);
        scopes = List.copyOf(scopes);
        algorithms = Set.copyOf(algorithms);
    }

    /// A policy that binds tokens to one key alone.
    public static TokenPolicy ofKey(Set<TokenAlgorithm> algorithms, boolean keyIdRequired, Duration leeway) {
        return new TokenPolicy(
                Optional.empty(),
                List.of(),
                List.of(),
                List.of(),
                algorithms,
                keyIdRequired,
                leeway,
                Optional.empty(),
                DEFAULT_MAX_LENGTH);
    }

    /// The same that demands these scopes, too.
    public TokenPolicy withScopes(List<String> more) {
        List<String> all = new java.util.ArrayList<>(scopes);
        all.addAll(more);
        return new TokenPolicy(
                issuer, audiences, authorizedParties, all, algorithms, keyIdRequired, leeway, maxAge, maxLength);
    }

    /// What can be told by the header alone.
    void checkHeader(CompactToken token) throws TokenRefused {
        if (!algorithms.contains(token.algorithm())) {
            throw new TokenRefused("the token is signed with " + token.algorithm() + ", which is not allowed");
        }
        if (keyIdRequired && token.keyId().isEmpty()) {
            throw new TokenRefused("the token does not name its key");
        }
    }

    /// @return when the token ends, to the letter
    Instant checkClaims(Claims claims, Instant now) throws TokenRefused {
        if (issuer.isPresent() && !claims.text("iss").equals(issuer)) {
            throw new TokenRefused("the token is of another issuer");
        }
        if (!audiences.isEmpty() && Collections.disjoint(claims.texts("aud"), audiences)) {
            throw new TokenRefused(
                    claims.has("aud") ? "the token is for somebody else (`aud`)" : "the token has no `aud`");
        }
        if (!authorizedParties.isEmpty()
                && claims.text("azp")
                        .or(() -> claims.text("client_id"))
                        .filter(authorizedParties::contains)
                        .isEmpty()) {
            throw new TokenRefused("the token was issued to another application (`azp`)");
        }
        if (!claims.scopes().containsAll(scopes)) {
            throw new TokenRefused("the token does not have the scope that is demanded");
        }
        return checkDates(claims, now);
    }

    private Instant checkDates(Claims claims, Instant now) throws TokenRefused {
        Instant expires = claims.date("exp").orElseThrow(() -> new TokenRefused("the token has no `exp`"));
        if (!now.isBefore(expires.plus(leeway))) {
            throw new TokenRefused("the token has expired");
        }
        Optional<Instant> notBefore = claims.date("nbf");
        if (notBefore.isPresent() && now.plus(leeway).isBefore(notBefore.get())) {
            throw new TokenRefused("the token is not valid yet (`nbf`)");
        }
        Optional<Instant> issued = claims.date("iat");
        if (issued.isPresent() && now.plus(leeway).isBefore(issued.get())) {
            throw new TokenRefused("the token was issued in the future (`iat`)");
        }
        if (maxAge.isPresent()
                && issued.filter(at -> now.isBefore(at.plus(maxAge.get()).plus(leeway)))
                        .isEmpty()) {
            throw new TokenRefused("the token is too old, or does not say how old (`iat`)");
        }
        return expires;
    }
}
