package org.pgporter.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;

/// A small issuer of tokens: discovery, keys that rotate, and the device flow (RFC 8628). It runs in the
/// test's own process, does what it is told, and counts who asks it.
///
/// ```java
/// try (var provider = OpenIdProvider.start()) {
///     provider.issuer();                       // https://… or http://127.0.0.1:port/realm
///     provider.token("alice").signed();
///     provider.rotates();                      // from now on another key signs
///     provider.fallsSilent();                  // and nobody gets an answer
/// }
/// ```
public final class OpenIdProvider implements AutoCloseable {
    public static final String AUDIENCE = "pgporter";
    private static final String REALM = "/realm";

    private final HttpServer server;
    private final String scheme;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Key> published = new CopyOnWriteArrayList<>();
    private final Map<String, String> approved = new ConcurrentHashMap<>();
    private final Map<String, String> userCodes = new ConcurrentHashMap<>();
    private final AtomicInteger keyNumbers = new AtomicInteger();
    private final AtomicInteger discoveries = new AtomicInteger();
    private final AtomicInteger keyFetches = new AtomicInteger();
    private final AtomicInteger devices = new AtomicInteger();
    private volatile Key current;
    private volatile Optional<String> otherIssuer = Optional.empty();
    private volatile Optional<byte[]> otherKeys = Optional.empty();
    private volatile int status = 200;
    private volatile CountDownLatch silence = new CountDownLatch(0);

    private record Key(String id, KeyPair pair) {}

    private OpenIdProvider(Optional<SSLContext> tls) {
        try {
            InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            if (tls.isPresent()) {
                HttpsServer https = HttpsServer.create(address, 0);
                https.setHttpsConfigurator(new HttpsConfigurator(tls.get()));
                server = https;
                scheme = "https";
            } else {
                server = HttpServer.create(address, 0);
                scheme = "http";
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        current = newKey();
        published.add(current);
        server.setExecutor(threads);
        server.createContext(REALM + "/.well-known/openid-configuration", this::discovery);
        server.createContext(REALM + "/keys", this::keys);
        server.createContext(REALM + "/device", this::device);
        server.createContext(REALM + "/token", this::token);
        server.start();
    }

    /// Without TLS, on the loopback.
    public static OpenIdProvider start() {
        return new OpenIdProvider(Optional.empty());
    }

    /// With TLS, as this server.
    public static OpenIdProvider start(TestPki.Identity identity) {
        return new OpenIdProvider(Optional.of(TestPki.serving(identity)));
    }

    /// What stands in `iss` of its tokens.
    public String issuer() {
        return scheme + "://" + host() + ":" + server.getAddress().getPort() + REALM;
    }

    private String host() {
        return scheme.equals("https") ? "localhost" : "127.0.0.1";
    }

    /// Where its keys are.
    public String keysUrl() {
        return issuer() + "/keys";
    }

    /// A token for this subject that any node should take: for the right audience, and valid for five minutes.
    public TestToken token(String subject) {
        long now = Instant.now().getEpochSecond();
        return new TestToken(current.pair(), current.id())
                .with("iss", issuer())
                .with("aud", AUDIENCE)
                .with("sub", subject)
                .with("iat", now)
                .with("exp", now + 300);
    }

    /// The public key that checks its tokens now.
    public RSAPublicKey publicKey() {
        return (RSAPublicKey) current.pair().getPublic();
    }

    /// From now on another key signs, and both are published.
    public void rotates() {
        current = newKey();
        published.add(current);
    }

    /// Only the key that signs now is published any more.
    public void withdrawsOldKeys() {
        Key kept = current;
        published.removeIf(key -> !key.equals(kept));
    }

    /// Its discovery document speaks for another issuer.
    public void pretendsToBe(String other) {
        otherIssuer = Optional.of(other);
    }

    /// What is found in place of its keys.
    public void publishes(byte[] keys) {
        otherKeys = Optional.of(keys);
    }

    /// Answers everything with this status; 200: as it should.
    public void answers(int changed) {
        status = changed;
    }

    /// Takes requests and answers none until [#speaks].
    public void fallsSilent() {
        silence = new CountDownLatch(1);
    }

    public void speaks() {
        silence.countDown();
    }

    /// How often its discovery document was asked for.
    public int discoveries() {
        return discoveries.get();
    }

    /// How often its keys were asked for.
    public int keyFetches() {
        return keyFetches.get();
    }

    /// The person with this code says that it is him.
    public void approves(String userCode, String subject) {
        approved.put(Optional.ofNullable(userCodes.get(userCode)).orElseThrow(), subject);
    }

    // ---- endpoints

    private void discovery(HttpExchange exchange) throws IOException {
        discoveries.incrementAndGet();
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("issuer", otherIssuer.orElse(issuer()));
        document.put("jwks_uri", keysUrl());
        document.put("token_endpoint", issuer() + "/token");
        document.put("device_authorization_endpoint", issuer() + "/device");
        document.put("grant_types_supported", List.of("urn:ietf:params:oauth:grant-type:device_code"));
        answer(exchange, 200, TestToken.json(document));
    }

    private void keys(HttpExchange exchange) throws IOException {
        keyFetches.incrementAndGet();
        String set = published.stream()
                .map(key -> {
                    RSAPublicKey rsa = (RSAPublicKey) key.pair().getPublic();
                    return TestToken.json(Map.of(
                            "kty", "RSA",
                            "use", "sig",
                            "kid", key.id(),
                            "n", number(rsa.getModulus()),
                            "e", number(rsa.getPublicExponent())));
                })
                .collect(Collectors.joining(",", "{\"keys\":[", "]}"));
        answer(
                exchange,
                200,
                otherKeys
                        .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                        .orElse(set));
    }

    private void device(HttpExchange exchange) throws IOException {
        int number = devices.incrementAndGet();
        String code = "device-" + number;
        String userCode = "CODE-" + number;
        userCodes.put(userCode, code);
        answer(
                exchange,
                200,
                TestToken.json(Map.of(
                        "device_code",
                        code,
                        "user_code",
                        userCode,
                        "verification_uri",
                        issuer() + "/verify",
                        "expires_in",
                        600,
                        "interval",
                        1)));
    }

    private void token(HttpExchange exchange) throws IOException {
        Map<String, String> form = Arrays.stream(
                        new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8).split("&", -1))
                .map(pair -> pair.split("=", 2))
                .filter(pair -> pair.length == 2)
                .collect(Collectors.toMap(pair -> pair[0], pair -> URLDecoder.decode(pair[1], StandardCharsets.UTF_8)));
        Optional<String> subject =
                Optional.ofNullable(form.get("device_code")).flatMap(code -> Optional.ofNullable(approved.get(code)));
        if (subject.isEmpty()) {
            answer(exchange, 400, "{\"error\":\"authorization_pending\"}");
            return;
        }
        answer(
                exchange,
                200,
                TestToken.json(Map.of(
                        "access_token",
                        token(subject.get()).with("scope", "openid db").signed(),
                        "token_type",
                        "Bearer",
                        "expires_in",
                        300)));
    }

    private void answer(HttpExchange exchange, int good, String body) throws IOException {
        try (exchange) {
            silence.await();
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(status == 200 ? good : status, bytes.length);
            exchange.getResponseBody().write(bytes);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- keys

    private Key newKey() {
        return new Key("key-" + keyNumbers.incrementAndGet(), newRsa());
    }

    /// A key that nobody publishes.
    public static KeyPair newRsa() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A public key as a file has it.
    public static String pem(KeyPair pair) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + java.util.Base64.getMimeEncoder(64, new byte[] {'\n'})
                        .encodeToString(pair.getPublic().getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    private static String number(BigInteger value) {
        byte[] bytes = value.toByteArray();
        return TestToken.base64(bytes[0] == 0 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes);
    }

    @Override
    public void close() {
        speaks();
        server.stop(0);
        threads.shutdownNow();
    }
}
