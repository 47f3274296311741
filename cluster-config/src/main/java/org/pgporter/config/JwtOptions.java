package org.pgporter.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pgporter.auth.Secret;

/// Keys `jwt_…` of section `general`: one issuer of tokens, in PgDog's words. More of them, with more to
/// say, stand in section `issuers`.
///
/// @param jwtPublicKeyFile PEM; goes before `jwtJwksUrl`
/// @param jwtJwksUrl where the issuer publishes its keys
/// @param jwtJwksCacheTtl how long these are used without asking again
/// @param jwtIssuer what must stand in `iss`; absent: it is not looked at
/// @param jwtAudience what must stand in `aud`; needed
/// @param jwtUsernameClaim the claim that says who it is
/// @param jwtServerUser role of their backend connections; absent: their own name
/// @param jwtServerPassword of that role
/// @param jwtUserSuffix only users whose name ends so come with a token
/// @param jwtUserAutoProvision users that the configuration does not know get pools of their own
/// @param jwtUserAutoProvisionReadOnly their transactions begin as read only
/// @param jwtAllowPlaintext tokens of all issuers are taken from connections without TLS, too
public record JwtOptions(
        Optional<Path> jwtPublicKeyFile,
        Optional<String> jwtJwksUrl,
        @InSeconds Duration jwtJwksCacheTtl,
        Optional<String> jwtIssuer,
        Optional<String> jwtAudience,
        String jwtUsernameClaim,
        Optional<String> jwtServerUser,
        Optional<Secret> jwtServerPassword,
        Optional<String> jwtUserSuffix,
        boolean jwtUserAutoProvision,
        boolean jwtUserAutoProvisionReadOnly,
        boolean jwtAllowPlaintext) {
    /// What the issuer is called among the others.
    public static final String NAME = "jwt";

    private static final JwtOptions DEFAULTS = new JwtOptions(
            Optional.empty(),
            Optional.empty(),
            Duration.ofMinutes(5),
            Optional.empty(),
            Optional.empty(),
            "sub",
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            false,
            false,
            false);

    public JwtOptions {
        Checks checks = new Checks()
                .positive("jwt_jwks_cache_ttl", jwtJwksCacheTtl)
                .notBlank("jwt_issuer", jwtIssuer)
                .notBlank("jwt_audience", jwtAudience)
                .notBlank("jwt_username_claim", jwtUsernameClaim)
                .notBlank("jwt_server_user", jwtServerUser)
                .notBlank("jwt_user_suffix", jwtUserSuffix);
        boolean hasKey = jwtPublicKeyFile.isPresent() || jwtJwksUrl.isPresent();
        checks.require(
                !hasKey || jwtAudience.isPresent(),
                "jwt_audience",
                "is missing, so tokens for any application of the issuer would open the door",
                "set it to what the issuer puts into `aud` of tokens for PgPorter",
                Set.of("jwt_audience"));
        boolean saysMore = jwtIssuer.isPresent()
                || jwtAudience.isPresent()
                || jwtServerUser.isPresent()
                || jwtServerPassword.isPresent()
                || jwtUserSuffix.isPresent()
                || jwtUserAutoProvision;
        checks.require(
                hasKey || !saysMore,
                "jwt_public_key_file",
                "is missing, and so is jwt_jwks_url, so nobody could check a token",
                "set one of the two, or remove the other keys jwt_…",
                Set.of("jwt_public_key_file", "jwt_jwks_url"));
        jwtJwksUrl.ifPresent(url -> IssuerKeys.checkUrl(checks, "jwt_jwks_url", url, false));
        checks.throwIfAny();
    }

    public static JwtOptions defaults() {
        return DEFAULTS;
    }

    /// The issuer that these keys define, if they do.
    public Optional<IssuerConfig> issuer() {
        if (jwtPublicKeyFile.isEmpty() && jwtJwksUrl.isEmpty()) {
            return Optional.empty();
        }
        IssuerKeys keys = IssuerKeys.defaults().withJwksCacheTtl(jwtJwksCacheTtl);
        keys = jwtPublicKeyFile.isPresent()
                ? keys.withPublicKeyFile(jwtPublicKeyFile.get())
                : keys.withJwksUrl(jwtJwksUrl.orElseThrow());
        TokenUsers defaults = TokenUsers.defaults();
        return Optional.of(new IssuerConfig(
                jwtIssuer,
                keys,
                TokenChecks.defaults().withAudience(jwtAudience.orElseThrow()),
                new TokenUsers(
                        jwtUsernameClaim,
                        jwtUserSuffix,
                        List.of(),
                        List.of(),
                        jwtUserAutoProvision,
                        defaults.maxUsers(),
                        jwtUserAutoProvisionReadOnly,
                        jwtServerUser,
                        jwtServerPassword,
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
                        defaults.expiryGrace())));
    }

    public JwtOptions withJwtPublicKeyFile(Path changed) {
        return Records.with(this, "jwtPublicKeyFile", Optional.of(changed));
    }

    public JwtOptions withJwtAllowPlaintext(boolean changed) {
        return Records.with(this, "jwtAllowPlaintext", changed);
    }
}
