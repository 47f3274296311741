package org.pgporter.node.tls;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslX509KeyManagerFactory;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.concurrent.ImmediateExecutor;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.pgporter.config.ClientTlsOptions;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.config.ServerTlsOptions;
import org.pgporter.config.TlsEngine;
import org.pgporter.config.TlsOptions;
import org.pgporter.config.TlsVersion;
import org.pgporter.node.work.CpuWork;

/// Makes contexts of what the configuration and its files say.
final class TlsContexts {
    /// The protocol's name in ALPN, as registered with IANA.
    static final String ALPN = "postgresql";

    /// Suites of TLS 1.2 with forward secrecy and authenticated encryption; AES first, for which processors have
    /// instructions. Mozilla's "intermediate" list without finite-field Diffie-Hellman, which BoringSSL lacks.
    private static final List<String> TLS_1_2_SUITES = List.of(
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private static final List<String> TLS_1_3_SUITES =
            List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

    /// Sessions that the JDK's engine remembers for resumption at most, and for how many seconds. BoringSSL puts
    /// them into tickets instead.
    private static final int SESSIONS = 1024;

    private static final int SESSION_SECONDS = 3600;

    static {
        // Read when the JDK's engine is first used. A client that could ask for new handshakes at will would cost
        // more than it pays; BoringSSL never grants any.
        if (System.getProperty("jdk.tls.rejectClientInitiatedRenegotiation") == null) {
            System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
        }
    }

    private TlsContexts() {}

    /// For clients. There must be a certificate.
    static TlsContext forClients(TlsOptions common, ClientTlsOptions options, CpuWork work) throws TlsProblem {
        TlsIdentity identity = TlsIdentity.read("", options.tlsCertificate(), options.tlsPrivateKey())
                .orElseThrow(() -> new TlsProblem("tls_certificate", "is missing"));
        Optional<TrustManagerFactory> trust = Trust.read("", options.tlsCaCert(), options.tlsCrlFile());
        SslProvider provider = provider(common);
        boolean boring = provider != SslProvider.JDK;
        try {
            SslContextBuilder builder = boring && identity.isRsa()
                    ? SslContextBuilder.forServer(OpenSslX509KeyManagerFactory.newKeyless(identity.chainArray()))
                            .option(
                                    OpenSslContextOption.ASYNC_PRIVATE_KEY_METHOD,
                                    new RsaSignatures(identity.key(), work))
                    : SslContextBuilder.forServer(identity.key(), identity.chainArray());
            trust.ifPresent(factory -> builder.trustManager(factory)
                    .clientAuth(options.tlsMode().certificateRequired() ? ClientAuth.REQUIRE : ClientAuth.OPTIONAL));
            builder.sessionCacheSize(SESSIONS).sessionTimeout(SESSION_SECONDS);
            // What is remembered of a client's certificate would outlive its revocation.
            boolean tickets = boring && trust.isEmpty();
            return new TlsContext(
                    common(builder, provider, common).build(),
                    Optional.of(identity.certificate()),
                    boring && trust.isEmpty() ? ImmediateExecutor.INSTANCE : work,
                    tickets ? Optional.of(new SessionTickets()) : Optional.empty());
        } catch (GeneralSecurityException | IOException | IllegalArgumentException e) {
            throw refused("tls_certificate", e);
        }
    }

    /// For connections to PostgreSQL.
    static TlsContext forServers(TlsOptions common, ServerTlsOptions options, CpuWork work) throws TlsProblem {
        Optional<TlsIdentity> identity =
                TlsIdentity.read("server_", options.serverTlsCertificate(), options.serverTlsPrivateKey());
        Optional<TrustManagerFactory> trust =
                Trust.read("server_", options.serverTlsCaCert(), options.serverTlsCrlFile());
        ServerTlsMode mode = options.serverTlsMode();
        SslProvider provider = provider(common);
        SslContextBuilder builder = SslContextBuilder.forClient()
                .trustManager(mode.verifies() && trust.isPresent() ? trust.get() : InsecureTrustManagerFactory.INSTANCE)
                .endpointIdentificationAlgorithm(mode == ServerTlsMode.VERIFY_FULL ? "HTTPS" : null);
        identity.ifPresent(it -> builder.keyManager(it.key(), it.chainArray()));
        try {
            Executor tasks = work;
            return new TlsContext(common(builder, provider, common).build(), Optional.empty(), tasks, Optional.empty());
        } catch (SSLException | IllegalArgumentException e) {
            throw refused("server_tls_mode", e);
        }
    }

    private static SslContextBuilder common(SslContextBuilder builder, SslProvider provider, TlsOptions options) {
        List<String> suites = new ArrayList<>(TlsOptions.suites(options.tls13Ciphers()));
        if (suites.isEmpty()) {
            suites.addAll(TLS_1_3_SUITES);
        }
        List<String> protocols = new ArrayList<>(List.of(TlsVersion.TLS_1_3.toString()));
        if (options.minTlsVersion() == TlsVersion.TLS_1_2) {
            protocols.add(TlsVersion.TLS_1_2.toString());
            List<String> older = TlsOptions.suites(options.tlsCiphers());
            suites.addAll(older.isEmpty() ? TLS_1_2_SUITES : older);
        }
        return builder.sslProvider(provider)
                .protocols(protocols)
                .ciphers(suites, IdentityCipherSuiteFilter.INSTANCE)
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        ALPN));
    }

    /// The engine that the configuration leads to on this machine.
    static SslProvider provider(TlsOptions options) throws TlsProblem {
        boolean boring = OpenSsl.isAvailable();
        if (options.tlsEngine() == TlsEngine.BORINGSSL && !boring) {
            throw new TlsProblem("tls_engine", "BoringSSL does not work here: " + OpenSsl.unavailabilityCause());
        }
        boolean jdk =
                options.tlsEngine() == TlsEngine.JDK || options.tls13Ciphers().isPresent();
        // Counted references: no finalizer for each connection.
        return boring && !jdk ? SslProvider.OPENSSL_REFCNT : SslProvider.JDK;
    }

    private static TlsProblem refused(String key, Exception e) {
        String said = String.valueOf(e.getMessage());
        // Both engines complain of a suite by its name.
        boolean suite = said.toLowerCase(java.util.Locale.ROOT).contains("cipher");
        return new TlsProblem(suite ? "tls_ciphers" : key, "TLS cannot be set up: " + said);
    }
}
