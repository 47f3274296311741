package org.pgporter.node.token;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.pgporter.auth.credential.JwtKeyFile;
import org.pgporter.auth.jwt.TokenAlgorithm;
import org.pgporter.auth.jwt.TokenKeys;
import org.pgporter.auth.jwt.TokenPolicy;
import org.pgporter.auth.jwt.TokenVerifier;
import org.pgporter.config.IssuerConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.TalosConfig;

/// Whose tokens this node takes: the issuers, the key files of single users, and Talos.
public final class NodeTokens implements AutoCloseable {
    private final Map<String, Issuer> issuers;
    private final Map<JwtKeyFile, TokenVerifier> ofUsers;
    private final Optional<TokenVerifier> talos;
    private final List<FileKeys> files;
    private final List<FetchedKeys> fetched;
    private final List<HttpClient> clients;

    private NodeTokens(
            Map<String, Issuer> issuers,
            Map<JwtKeyFile, TokenVerifier> ofUsers,
            Optional<TokenVerifier> talos,
            List<FileKeys> files,
            List<FetchedKeys> fetched,
            List<HttpClient> clients) {
        this.issuers = issuers;
        this.ofUsers = ofUsers;
        this.talos = talos;
        this.files = files;
        this.fetched = fetched;
        this.clients = clients;
    }

    /// Reads all key files. Issuers that have to be asked for keys are asked, and nobody waits for their
    /// answer: one that is down now must not keep the node from serving others.
    ///
    /// @param cpu where tokens are checked
    public static NodeTokens start(ProxyConfig config, Executor cpu, InstantSource clock) throws TokenProblem {
        NodeTokens tokens = new Making(config, cpu, clock).make();
        tokens.fetched.forEach(FetchedKeys::prepare);
        return tokens;
    }

    /// The files that cannot be used, for the command `check`: of each issuer, of the users' key files and
    /// of Talos the first one.
    public static List<TokenProblem> problems(ProxyConfig config) {
        return new Making(config, Runnable::run, InstantSource.system()).problems();
    }

    /// By the names of their sections, in the order of the file.
    public Map<String, Issuer> issuers() {
        return issuers;
    }

    /// Who decides about tokens of users that have this key file.
    public Optional<TokenVerifier> of(JwtKeyFile file) {
        return Optional.ofNullable(ofUsers.get(file));
    }

    /// Who decides about Talos tokens; empty where there is no section `talos`.
    public Optional<TokenVerifier> talos() {
        return talos;
    }

    /// Reads all key files again. A key whose file is gone opens nothing any more.
    ///
    /// @return what cannot be used; the log says so, too
    public List<TokenProblem> reload() {
        List<TokenProblem> problems = new ArrayList<>();
        files.forEach(its -> problems.addAll(its.reload()));
        return problems;
    }

    @Override
    public void close() {
        clients.forEach(HttpClient::shutdownNow);
    }

    /// What comes to be while a node starts.
    private static final class Making {
        /// As a client of an issuer's: long enough for a slow network, and logins wait only while no key
        /// is known.
        private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);

        private final ProxyConfig config;
        private final Executor cpu;
        private final InstantSource clock;
        private final List<FileKeys> files = new ArrayList<>();
        private final List<FetchedKeys> fetched = new ArrayList<>();
        private final List<HttpClient> clients = new ArrayList<>();

        Making(ProxyConfig config, Executor cpu, InstantSource clock) {
            this.config = config;
            this.cpu = cpu;
            this.clock = clock;
        }

        NodeTokens make() throws TokenProblem {
            try {
                Map<String, Issuer> issuers = new LinkedHashMap<>();
                for (Map.Entry<String, IssuerConfig> entry :
                        config.tokenIssuers().entrySet()) {
                    issuers.put(entry.getKey(), issuer(entry.getKey(), entry.getValue()));
                }
                return new NodeTokens(issuers, ofUsers(), talos(), files, fetched, clients);
            } catch (TokenProblem problem) {
                clients.forEach(HttpClient::shutdownNow);
                throw problem;
            }
        }

        List<TokenProblem> problems() {
            List<TokenProblem> problems = new ArrayList<>();
            config.tokenIssuers().forEach((name, issuer) -> {
                try {
                    issuer(name, issuer);
                } catch (TokenProblem problem) {
                    problems.add(problem);
                }
            });
            try {
                ofUsers();
            } catch (TokenProblem problem) {
                problems.add(problem);
            }
            try {
                talos();
            } catch (TokenProblem problem) {
                problems.add(problem);
            }
            clients.forEach(HttpClient::shutdownNow);
            return problems;
        }

        private Issuer issuer(String name, IssuerConfig issuer) throws TokenProblem {
            boolean inGeneral = !config.issuers().containsKey(name);
            TokenKeys keys;
            if (!issuer.keys().files().isEmpty()) {
                keys = files(
                        inGeneral ? "general.jwt_public_key_file" : "issuers." + name + ".public_key_file",
                        issuer.keys().files(),
                        false);
            } else {
                FetchedKeys asked = new FetchedKeys(
                        name,
                        new HttpKeySets(client("issuers." + name + ".tls_ca_cert", issuer), issuer),
                        issuer.keys().jwksCacheTtl(),
                        issuer.keys().jwksStaleTime(),
                        issuer.keys().jwksRefetchInterval(),
                        System::nanoTime);
                fetched.add(asked);
                keys = asked;
            }
            return new Issuer(name, issuer, new TokenVerifier(issuer.policy(), keys, cpu, clock));
        }

        private Map<JwtKeyFile, TokenVerifier> ofUsers() throws TokenProblem {
            Map<JwtKeyFile, TokenVerifier> verifiers = new LinkedHashMap<>();
            TokenPolicy policy =
                    TokenPolicy.ofKey(EnumSet.allOf(TokenAlgorithm.class), false, TokenPolicy.DEFAULT_LEEWAY);
            for (var pool : config.pools().entrySet()) {
                for (var user : pool.getValue().users()) {
                    if (user.password().orElse(null) instanceof JwtKeyFile file && !verifiers.containsKey(file)) {
                        String key = "pools." + pool.getKey() + ".users (" + user.username() + ").password";
                        verifiers.put(
                                file,
                                new TokenVerifier(
                                        policy, files(key, List.of(Path.of(file.path())), false), cpu, clock));
                    }
                }
            }
            return verifiers;
        }

        /// No leeway, as with PgDoorman.
        private Optional<TokenVerifier> talos() throws TokenProblem {
            Optional<TalosConfig> section = config.talosAnywhere();
            if (section.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new TokenVerifier(
                    TokenPolicy.ofKey(EnumSet.of(TokenAlgorithm.RS256), true, Duration.ZERO),
                    files("talos.keys", section.get().keys(), true),
                    cpu,
                    clock));
        }

        private FileKeys files(String key, List<Path> paths, boolean named) throws TokenProblem {
            FileKeys keys = new FileKeys(key, paths, named);
            files.add(keys);
            return keys;
        }

        private HttpClient client(String key, IssuerConfig issuer) throws TokenProblem {
            HttpClient.Builder builder = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(CONNECT_LIMIT)
                    .executor(Executors.newThreadPerTaskExecutor(
                            Thread.ofVirtual().name("pgporter-issuer-", 0).factory()));
            Optional<Path> authority = issuer.keys().tlsCaCert();
            if (authority.isPresent()) {
                builder.sslContext(trusting(key, authority.get()));
            }
            HttpClient client = builder.build();
            clients.add(client);
            return client;
        }

        private static SSLContext trusting(String key, Path authority) throws TokenProblem {
            try (InputStream in = Files.newInputStream(authority)) {
                KeyStore anchors = KeyStore.getInstance("PKCS12");
                anchors.load(null, null);
                int count = 0;
                for (Certificate certificate :
                        CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    anchors.setCertificateEntry("authority-" + count++, certificate);
                }
                if (count == 0) {
                    throw new TokenProblem(key, authority + " has no certificate");
                }
                TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
                trust.init(anchors);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(null, trust.getTrustManagers(), null);
                return context;
            } catch (IOException | GeneralSecurityException e) {
                throw new TokenProblem(key, authority + " cannot be used: " + e.getMessage());
            }
        }
    }
}
