package org.pgporter.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Where the keys of an issuer come from: files, or the issuer itself.
///
/// @param publicKeyFile PEM; goes before everything that would ask the issuer
/// @param publicKeyFiles several of them, for a rotation
/// @param jwksUrl where the issuer publishes its keys
/// @param discovery ask the issuer where that is (`/.well-known/openid-configuration`)
/// @param allowHttp the issuer may be asked without TLS: whoever is on the way then decides who comes in
/// @param tlsCaCert who vouches for the issuer's certificate; absent: whom the JDK trusts
/// @param jwksCacheTtl how long keys are used without asking again; they are fetched anew before that
/// @param jwksStaleTime how long they are used beyond that while the issuer does not answer
/// @param jwksRefetchInterval a key that is not there leads to the issuer once in this time, and so does a
///     failure
/// @param jwksTimeout how long the issuer may take for one answer
public record IssuerKeys(
        Optional<Path> publicKeyFile,
        List<Path> publicKeyFiles,
        Optional<String> jwksUrl,
        boolean discovery,
        boolean allowHttp,
        Optional<Path> tlsCaCert,
        Duration jwksCacheTtl,
        Duration jwksStaleTime,
        Duration jwksRefetchInterval,
        Duration jwksTimeout) {
    private static final IssuerKeys DEFAULTS = new IssuerKeys(
            Optional.empty(),
            List.of(),
            Optional.empty(),
            false,
            false,
            Optional.empty(),
            Duration.ofMinutes(5),
            Duration.ofHours(24),
            Duration.ofSeconds(10),
            Duration.ofSeconds(5));

    public IssuerKeys {
        publicKeyFiles = List.copyOf(publicKeyFiles);
        Checks checks = new Checks()
                .positive("jwks_cache_ttl", jwksCacheTtl)
                .notNegative("jwks_stale_time", jwksStaleTime)
                .positive("jwks_refetch_interval", jwksRefetchInterval)
                .positive("jwks_timeout", jwksTimeout);
        checks.require(
                jwksUrl.isEmpty() || !discovery,
                "discovery",
                "asks the issuer for what jwks_url says",
                "remove one of the two",
                Set.of("discovery", "jwks_url"));
        jwksUrl.ifPresent(url -> checkUrl(checks, "jwks_url", url, allowHttp));
        checks.throwIfAny();
    }

    public static IssuerKeys defaults() {
        return DEFAULTS;
    }

    /// The files of both keys.
    public List<Path> files() {
        List<Path> files = new ArrayList<>();
        publicKeyFile.ifPresent(files::add);
        files.addAll(publicKeyFiles);
        return files;
    }

    static void checkUrl(Checks checks, String key, String url, boolean allowHttp) {
        boolean usable;
        boolean encrypted = false;
        try {
            URI uri = new URI(url);
            encrypted = "https".equals(uri.getScheme());
            usable = (encrypted || "http".equals(uri.getScheme()))
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && uri.getRawFragment() == null;
        } catch (URISyntaxException _) {
            usable = false;
        }
        checks.require(usable, key, "must be a URL such as https://login.example.com/keys");
        checks.require(
                !usable || encrypted || allowHttp,
                key,
                "is not encrypted, so whoever is on the way could let anybody in",
                "use https, or say allow_http: true in section issuers",
                Set.of(key, "allow_http"));
    }

    public IssuerKeys withPublicKeyFile(Path changed) {
        return Records.with(this, "publicKeyFile", Optional.of(changed));
    }

    public IssuerKeys withPublicKeyFiles(List<Path> changed) {
        return Records.with(this, "publicKeyFiles", changed);
    }

    public IssuerKeys withJwksUrl(String changed) {
        return Records.with(this, "jwksUrl", Optional.of(changed));
    }

    public IssuerKeys withDiscovery(boolean changed) {
        return Records.with(this, "discovery", changed);
    }

    public IssuerKeys withAllowHttp(boolean changed) {
        return Records.with(this, "allowHttp", changed);
    }

    public IssuerKeys withTlsCaCert(Path changed) {
        return Records.with(this, "tlsCaCert", Optional.of(changed));
    }

    public IssuerKeys withJwksCacheTtl(Duration changed) {
        return Records.with(this, "jwksCacheTtl", changed);
    }

    public IssuerKeys withJwksStaleTime(Duration changed) {
        return Records.with(this, "jwksStaleTime", changed);
    }

    public IssuerKeys withJwksRefetchInterval(Duration changed) {
        return Records.with(this, "jwksRefetchInterval", changed);
    }

    public IssuerKeys withJwksTimeout(Duration changed) {
        return Records.with(this, "jwksTimeout", changed);
    }
}
