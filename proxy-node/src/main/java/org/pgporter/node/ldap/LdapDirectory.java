package org.pgporter.node.ldap;

import com.unboundid.ldap.sdk.BindRequest;
import com.unboundid.ldap.sdk.FailoverServerSet;
import com.unboundid.ldap.sdk.LDAPConnection;
import com.unboundid.ldap.sdk.LDAPConnectionOptions;
import com.unboundid.ldap.sdk.LDAPConnectionPool;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPSearchException;
import com.unboundid.ldap.sdk.PostConnectProcessor;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.SearchRequest;
import com.unboundid.ldap.sdk.SearchResultEntry;
import com.unboundid.ldap.sdk.ServerSet;
import com.unboundid.ldap.sdk.SimpleBindRequest;
import com.unboundid.ldap.sdk.StartTLSPostConnectProcessor;
import com.unboundid.util.ssl.HostNameSSLSocketVerifier;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.Secret;
import org.pgporter.config.LdapOptions;

/// One directory as one rule wants it asked, with connections that are kept open: one set for searching, another for
/// binding as users, so that no search is ever made with a user's rights. Calls block.
final class LdapDirectory implements AutoCloseable {
    /// What says that it was not this user, or not this password; whatever else a directory says is its own trouble.
    private static final Set<ResultCode> NO = Set.of(
            ResultCode.INVALID_CREDENTIALS,
            ResultCode.NO_SUCH_OBJECT,
            ResultCode.INVALID_DN_SYNTAX,
            ResultCode.INAPPROPRIATE_AUTHENTICATION,
            ResultCode.CONSTRAINT_VIOLATION,
            ResultCode.INSUFFICIENT_ACCESS_RIGHTS,
            ResultCode.UNWILLING_TO_PERFORM);

    private static final long OLDEST_CONNECTION_MILLIS = 15 * 60 * 1000L;

    /// More than one entry is as bad as none.
    private static final int MOST_ENTRIES = 2;

    private final LdapTarget target;
    private final LDAPConnectionPool binding;
    private final Optional<LDAPConnectionPool> searching;
    private final SecureRandom random = new SecureRandom();

    /// Connects to nobody yet.
    ///
    /// @throws IOException when the file of `ldap_tls_ca_cert` cannot be used
    LdapDirectory(LdapTarget target, LdapOptions options) throws IOException, GeneralSecurityException {
        this.target = target;
        try {
            this.binding = pool(target, options, Optional.empty());
            this.searching = target.search() instanceof LdapTarget.SearchFirst search
                    ? Optional.of(pool(target, options, Optional.of(search)))
                    : Optional.empty();
        } catch (LDAPException e) {
            throw new IOException("no connections can be made: " + e.getResultCode(), e);
        }
    }

    private static LDAPConnectionPool pool(
            LdapTarget target, LdapOptions options, Optional<LdapTarget.SearchFirst> search)
            throws LDAPException, IOException, GeneralSecurityException {
        int millis = (int) Math.min(options.ldapTimeout().toMillis(), Integer.MAX_VALUE);
        LDAPConnectionOptions connection = new LDAPConnectionOptions();
        connection.setConnectTimeoutMillis(millis);
        connection.setResponseTimeoutMillis(millis);
        connection.setUseSynchronousMode(true); // no thread of its own for each connection
        connection.setFollowReferrals(false);
        connection.setAllowConcurrentSocketFactoryUse(true);
        String[] hosts = target.servers().toArray(String[]::new);
        int[] ports = target.servers().stream().mapToInt(_ -> target.port()).toArray();
        ServerSet servers;
        @Nullable PostConnectProcessor afterConnect = null;
        if (target.security() == LdapTarget.Security.NONE) {
            servers = new FailoverServerSet(hosts, ports, connection);
        } else {
            connection.setSSLSocketVerifier(new HostNameSSLSocketVerifier(true));
            SSLContext context = context(options.ldapTlsCaCert());
            if (target.security() == LdapTarget.Security.LDAPS) {
                servers = new FailoverServerSet(hosts, ports, context.getSocketFactory(), connection);
            } else {
                servers = new FailoverServerSet(hosts, ports, connection);
                afterConnect = new StartTLSPostConnectProcessor(context);
            }
        }
        @Nullable
        BindRequest bind = search.flatMap(LdapTarget.SearchFirst::bindName)
                .map(name -> new SimpleBindRequest(
                        name,
                        search.flatMap(LdapTarget.SearchFirst::bindPassword)
                                .map(Secret::reveal)
                                .orElse("")))
                .orElse(null);
        LDAPConnectionPool pool =
                new LDAPConnectionPool(servers, bind, 0, options.ldapConnections(), 1, afterConnect, false);
        pool.setConnectionPoolName("pgporter-ldap");
        pool.setMaxConnectionAgeMillis(OLDEST_CONNECTION_MILLIS);
        pool.setMaxWaitTimeMillis(millis);
        pool.setRetryFailedOperationsDueToInvalidConnections(true);
        return pool;
    }

    private static SSLContext context(Optional<Path> authorities) throws IOException, GeneralSecurityException {
        @Nullable KeyStore anchors = null; // whoever the JDK trusts
        if (authorities.isPresent()) {
            anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            int number = 0;
            try (InputStream in = Files.newInputStream(authorities.get())) {
                for (Certificate certificate :
                        CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    anchors.setCertificateEntry("authority-" + number++, certificate);
                }
            }
            if (number == 0) {
                throw new IOException("ldap_tls_ca_cert has no certificate");
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /// Whether this password is the user's.
    LdapOutcome authenticate(String user, Secret password) {
        if (password.isEmpty()) {
            return new LdapOutcome.Denied("the password is empty"); // a bind without one is a bind of nobody
        }
        try {
            return switch (target.search()) {
                case LdapTarget.Simple simple ->
                    simple.bindName(user)
                            .map(name -> bind(name, password))
                            .orElseGet(() -> new LdapOutcome.Denied("the user's name has characters that cannot be"
                                    + " put between ldapprefix and ldapsuffix"));
                case LdapTarget.SearchFirst search -> searchAndBind(search, user, password);
            };
        } catch (LDAPException e) {
            return new LdapOutcome.Broken("the directory does not answer a search: " + words(e));
        }
    }

    private LdapOutcome searchAndBind(LdapTarget.SearchFirst search, String user, Secret password)
            throws LDAPException {
        SearchRequest request = new SearchRequest(search.base(), search.scope(), search.filterFor(user), "1.1");
        request.setSizeLimit(MOST_ENTRIES);
        List<SearchResultEntry> entries;
        try {
            entries = Optional.ofNullable(
                            searching.orElseThrow().search(request).getSearchEntries())
                    .orElse(List.of());
        } catch (LDAPSearchException e) {
            if (e.getResultCode() != ResultCode.SIZE_LIMIT_EXCEEDED) {
                throw e;
            }
            return new LdapOutcome.Denied("more than one entry is of this user");
        }
        if (entries.size() == 1) {
            return bind(entries.getFirst().getDN(), password);
        }
        // As for a user that is there: another round trip, and the same answer.
        bind("cn=" + nobodys() + "," + search.base(), Secret.of(nobodys()));
        return new LdapOutcome.Denied(
                entries.isEmpty() ? "no entry is of this user" : "more than one entry is of this user");
    }

    private LdapOutcome bind(String name, Secret password) {
        // A connection that was kept may have been closed by the other side; a new one is not.
        for (int attempt = 1; ; attempt++) {
            LDAPConnection connection;
            try {
                connection = binding.getConnection();
            } catch (LDAPException e) {
                return new LdapOutcome.Broken("the directory cannot be reached: " + words(e));
            }
            try {
                connection.bind(name, password.reveal());
                binding.releaseConnection(connection);
                return new LdapOutcome.Accepted(name);
            } catch (LDAPException e) {
                if (e.getResultCode().isConnectionUsable()) {
                    binding.releaseConnection(connection);
                    return NO.contains(e.getResultCode())
                            ? new LdapOutcome.Denied("the directory refuses the bind: " + words(e))
                            : new LdapOutcome.Broken("the directory cannot bind: " + words(e));
                }
                binding.releaseDefunctConnection(connection);
                if (attempt > 1 || e.getResultCode() == ResultCode.TIMEOUT) {
                    return new LdapOutcome.Broken("the directory does not answer: " + words(e));
                }
            }
        }
    }

    /// Without the directory's own text, which may name entries.
    private static String words(LDAPException e) {
        return e.getResultCode().toString();
    }

    /// A name that no entry has, or a password that nobody has.
    private String nobodys() {
        byte[] bytes = new byte[12];
        random.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /// Connections that are open, of both kinds.
    int openConnections() {
        return binding.getCurrentAvailableConnections()
                + searching
                        .map(LDAPConnectionPool::getCurrentAvailableConnections)
                        .orElse(0);
    }

    @Override
    public void close() {
        binding.close();
        searching.ifPresent(LDAPConnectionPool::close);
    }
}
