package org.pgporter.node.token;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.pgporter.auth.jwt.Json;
import org.pgporter.auth.jwt.JwkSets;
import org.pgporter.auth.jwt.KeySet;
import org.pgporter.cluster.jwks.KeySetSource;
import org.pgporter.config.IssuerConfig;
import org.pgporter.config.IssuerKeys;

/// Asks an issuer for its keys over HTTP. Follows no redirection: where the keys are is said by the
/// configuration, or by the issuer's own document.
final class HttpKeySets implements KeySetSource {
    /// Largest answer, in bytes: what libpq reads of an issuer (`MAX_OAUTH_RESPONSE_SIZE` in `oauth-curl.c`).
    static final int MOST_BYTES = 256 * 1024;

    private final HttpClient client;
    private final IssuerConfig issuer;
    private final Duration timeout;

    HttpKeySets(HttpClient client, IssuerConfig issuer) {
        this.client = client;
        this.issuer = issuer;
        this.timeout = issuer.keys().jwksTimeout();
    }

    @Override
    public CompletionStage<KeySet> fetch() {
        IssuerKeys keys = issuer.keys();
        CompletionStage<URI> where = keys.jwksUrl().isPresent()
                ? CompletableFuture.completedStage(URI.create(keys.jwksUrl().get()))
                : discovered();
        return where.thenCompose(this::get).thenApply(body -> {
            try {
                return JwkSets.parse(body);
            } catch (Json.Malformed e) {
                throw new CompletionException(new IOException("the set of keys " + e.getMessage()));
            }
        });
    }

    private CompletionStage<URI> discovered() {
        String name = issuer.issuer().orElseThrow();
        String base = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
        return get(URI.create(base + "/.well-known/openid-configuration")).thenApply(body -> {
            try {
                Map<String, Object> document = Json.object(body);
                // Or another tenant of the same host could speak for this one.
                if (!name.equals(document.get("issuer"))) {
                    throw new IOException("the discovery document is of another issuer");
                }
                return keysOf(document);
            } catch (Json.Malformed e) {
                throw new CompletionException(new IOException("the discovery document " + e.getMessage()));
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
    }

    private URI keysOf(Map<String, Object> document) throws IOException {
        try {
            URI uri = URI.create(String.valueOf(document.get("jwks_uri")));
            boolean allowed =
                    "https".equals(uri.getScheme()) || issuer.keys().allowHttp() && "http".equals(uri.getScheme());
            if (allowed && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException _) {
            // Said below.
        }
        throw new IOException("the discovery document has no jwks_uri with https");
    }

    private CompletionStage<byte[]> get(URI uri) {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .timeout(timeout)
                .header("Accept", "application/json")
                .GET()
                .build();
        CompletableFuture<HttpResponse<byte[]>> exchange = client.sendAsync(
                request, HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofByteArray(), MOST_BYTES));
        // The request's own timeout ends with the headers; a body may come a byte at a time.
        CompletableFuture<HttpResponse<byte[]>> bounded =
                exchange.copy().orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
        return bounded.whenComplete((_, problem) -> {
                    if (problem != null) {
                        exchange.cancel(true);
                    }
                })
                .handle((response, problem) -> {
                    if (problem != null) {
                        throw new CompletionException(new IOException(uri + ": " + words(problem)));
                    }
                    if (response.statusCode() != 200) {
                        throw new CompletionException(new IOException(uri + " answers " + response.statusCode()));
                    }
                    return response.body();
                });
    }

    private String words(Throwable problem) {
        Throwable root = problem;
        while (root.getCause() != null && root instanceof CompletionException) {
            root = root.getCause();
        }
        return switch (root) {
            case java.util.concurrent.TimeoutException _, java.net.http.HttpTimeoutException _ ->
                "no answer within " + timeout.toMillis() + " ms";
            case Throwable other ->
                Optional.ofNullable(other.getMessage()).orElse(other.getClass().getSimpleName());
        };
    }
}
