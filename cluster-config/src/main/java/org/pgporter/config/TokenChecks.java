package org.pgporter.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.pgporter.auth.jwt.TokenAlgorithm;
import org.pgporter.auth.jwt.TokenPolicy;

/// What an issuer's tokens must say.
///
/// @param audience must stand in `aud`
/// @param audiences several, one of which must stand there
/// @param authorizedParties one of them must be `azp` or `client_id`; none: any
/// @param requiredScopes all of them must stand in `scope` or `scp`
/// @param algorithms what a token may be signed with
/// @param leeway how far the issuer's clock may differ from ours
/// @param maxTokenAge how long ago a token may have been issued; absent: `exp` alone says
/// @param maxTokenSize of a token, up to what a message of a login can carry
public record TokenChecks(
        Optional<String> audience,
        List<String> audiences,
        List<String> authorizedParties,
        List<String> requiredScopes,
        List<TokenAlgorithm> algorithms,
        Duration leeway,
        Optional<Duration> maxTokenAge,
        ByteSize maxTokenSize) {
    /// A signature alone has as many characters.
    private static final int LEAST_SIZE = 256;

    /// No two clocks that are set by anybody differ by more.
    private static final Duration MOST_LEEWAY = Duration.ofMinutes(5);

    private static final TokenChecks DEFAULTS = new TokenChecks(
            Optional.empty(),
            List.of(),
            List.of(),
            List.of(),
            Arrays.asList(TokenAlgorithm.values()),
            TokenPolicy.DEFAULT_LEEWAY,
            Optional.empty(),
            new ByteSize(TokenPolicy.DEFAULT_MAX_LENGTH));

    public TokenChecks {
        audiences = List.copyOf(audiences);
        authorizedParties = List.copyOf(authorizedParties);
        requiredScopes = List.copyOf(requiredScopes);
        algorithms = List.copyOf(algorithms);
        Checks checks = new Checks()
                .notBlank("audience", audience)
                .notNegative("leeway", leeway)
                .positive("max_token_age", maxTokenAge)
                .between("max_token_size", LEAST_SIZE, TokenPolicy.MOST_LENGTH, (int)
                        Math.min(maxTokenSize.bytes(), Integer.MAX_VALUE))
                .require(!algorithms.isEmpty(), "algorithms", "must name at least one")
                .require(leeway.compareTo(MOST_LEEWAY) <= 0, "leeway", "must not be more than 5m");
        audiences.forEach(name -> checks.notBlank("audiences", name));
        checks.throwIfAny();
    }

    public static TokenChecks defaults() {
        return DEFAULTS;
    }

    /// Those of both keys.
    public List<String> allAudiences() {
        List<String> all = new ArrayList<>(audiences);
        audience.ifPresent(all::add);
        return all;
    }

    public TokenChecks withAudience(String changed) {
        return Records.with(this, "audience", Optional.of(changed));
    }

    public TokenChecks withAudiences(List<String> changed) {
        return Records.with(this, "audiences", changed);
    }

    public TokenChecks withAuthorizedParties(List<String> changed) {
        return Records.with(this, "authorizedParties", changed);
    }

    public TokenChecks withRequiredScopes(List<String> changed) {
        return Records.with(this, "requiredScopes", changed);
    }

    public TokenChecks withAlgorithms(List<TokenAlgorithm> changed) {
        return Records.with(this, "algorithms", changed);
    }

    public TokenChecks withLeeway(Duration changed) {
        return Records.with(this, "leeway", changed);
    }

    public TokenChecks withMaxTokenAge(Duration changed) {
        return Records.with(this, "maxTokenAge", Optional.of(changed));
    }

    public TokenChecks withMaxTokenSize(ByteSize changed) {
        return Records.with(this, "maxTokenSize", changed);
    }
}
