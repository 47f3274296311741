package org.pgporter.config;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.pgporter.auth.jwt.TokenPolicy;

/// Section `issuers.<name>`: one issuer of tokens, whom it vouches for, and what they may do. The groups
/// are for readers of the code; in the file their keys stand directly in the section.
///
/// @param issuer what stands in `iss` of its tokens, letter for letter; absent only where `general.jwt_…`
///     defines it
/// @param keys what its tokens are signed with
/// @param checks what its tokens must say
/// @param users who they make somebody
public record IssuerConfig(
        Optional<String> issuer,
        @Flat IssuerKeys keys,
        @Flat TokenChecks checks,
        @Flat TokenUsers users) {
    public IssuerConfig {
        Checks found = new Checks().notBlank("issuer", issuer);
        found.require(
                !checks.allAudiences().isEmpty(),
                "audience",
                "is missing, so tokens for any application of the issuer would open the door",
                "set it to what the issuer puts into `aud` of tokens for PgPorter",
                Set.of("audience", "audiences"));
        found.require(
                !keys.files().isEmpty() || keys.jwksUrl().isPresent() || keys.discovery(),
                "discovery",
                "is off, and neither public_key_file nor jwks_url says what tokens are signed with",
                "set discovery: true, jwks_url or public_key_file",
                Set.of("discovery", "jwks_url", "public_key_file", "public_key_files"));
        if (keys.discovery()) {
            IssuerKeys.checkUrl(found, "issuer", issuer.orElse(""), keys.allowHttp());
        }
        found.throwIfAny();
    }

    /// One with defaults whose keys are found by discovery.
    public static IssuerConfig of(String issuer, String audience) {
        return new IssuerConfig(
                Optional.of(issuer),
                IssuerKeys.defaults().withDiscovery(true),
                TokenChecks.defaults().withAudience(audience),
                TokenUsers.defaults());
    }

    /// What a token must say.
    public TokenPolicy policy() {
        return new TokenPolicy(
                issuer,
                checks.allAudiences(),
                checks.authorizedParties(),
                checks.requiredScopes(),
                EnumSet.copyOf(checks.algorithms()),
                false,
                checks.leeway(),
                checks.maxTokenAge(),
                Math.toIntExact(checks.maxTokenSize().bytes()));
    }

    /// Whether a user of this name can come with a token of this issuer at all.
    public boolean isFor(String user) {
        return users.userSuffix().isEmpty() || user.endsWith(users.userSuffix().get());
    }

    /// Whether its users may use the database.
    public boolean allows(String database) {
        return users.databases().isEmpty() || users.databases().contains(database);
    }

    public IssuerConfig withKeys(IssuerKeys changed) {
        return Records.with(this, "keys", changed);
    }

    public IssuerConfig withChecks(TokenChecks changed) {
        return Records.with(this, "checks", changed);
    }

    public IssuerConfig withUsers(TokenUsers changed) {
        return Records.with(this, "users", changed);
    }
}
