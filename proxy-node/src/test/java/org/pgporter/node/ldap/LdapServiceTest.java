package org.pgporter.node.ldap;

import static org.assertj.core.api.Assertions.assertThat;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.ldap.listener.interceptor.InMemoryInterceptedSimpleBindRequest;
import com.unboundid.ldap.listener.interceptor.InMemoryOperationInterceptor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;
import org.pgporter.config.LdapOptions;
import org.pgporter.support.TestPki;

/// Logins against a directory in memory, with and without TLS.
class LdapServiceTest {
    private static final String PEOPLE = "ou=people,dc=example,dc=com";
    private static final AtomicInteger BINDS = new AtomicInteger();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki pki;

    @SuppressWarnings("NullAway.Init")
    private static InMemoryDirectoryServer directory;

    @BeforeAll
    static void start() throws Exception {
        pki = TestPki.in(folder.resolve("pki"));
        SSLContext tls = context(pki.server("localhost"));
        SSLContext elsewhere = context(pki.server("elsewhere.example"));
        InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig("dc=example,dc=com");
        config.addAdditionalBindCredentials("cn=reader", "reads");
        config.setAuthenticationRequiredOperationTypes(com.unboundid.ldap.sdk.OperationType.SEARCH);
        config.addInMemoryOperationInterceptor(new InMemoryOperationInterceptor() {
            @Override
            public void processSimpleBindRequest(InMemoryInterceptedSimpleBindRequest request) {
                BINDS.incrementAndGet();
            }
        });
        config.setListenerConfigs(
                InMemoryListenerConfig.createLDAPConfig(
                        "plain", InetAddress.getLoopbackAddress(), 0, tls.getSocketFactory()),
                InMemoryListenerConfig.createLDAPSConfig(
                        "tls",
                        InetAddress.getLoopbackAddress(),
                        0,
                        tls.getServerSocketFactory(),
                        tls.getSocketFactory()),
                InMemoryListenerConfig.createLDAPConfig(
                        "plain-elsewhere", InetAddress.getLoopbackAddress(), 0, elsewhere.getSocketFactory()),
                InMemoryListenerConfig.createLDAPSConfig(
                        "tls-elsewhere",
                        InetAddress.getLoopbackAddress(),
                        0,
                        elsewhere.getServerSocketFactory(),
                        elsewhere.getSocketFactory()));
        directory = new InMemoryDirectoryServer(config);
        directory.add("dn: dc=example,dc=com", "objectClass: domain", "dc: example");
        directory.add("dn: " + PEOPLE, "objectClass: organizationalUnit", "ou: people");
        for (String user : List.of("alice", "bob", "twin")) {
            directory.add(
                    "dn: uid=" + user + "," + PEOPLE,
                    "objectClass: inetOrgPerson",
                    "uid: " + user,
                    "cn: " + user,
                    "sn: " + user,
                    "userPassword: " + user + "'s");
        }
        directory.add("dn: ou=twins," + PEOPLE, "objectClass: organizationalUnit", "ou: twins");
        directory.add(
                "dn: uid=twin,ou=twins," + PEOPLE,
                "objectClass: inetOrgPerson",
                "uid: twin",
                "cn: twin",
                "sn: twin",
                "userPassword: twin's");
        directory.startListening();
    }

    @AfterAll
    static void stop() {
        directory.shutDown(true);
    }

    private static SSLContext context(TestPki.Identity shown) throws Exception {
        char[] password = "changeit".toCharArray();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("key", shown.bundle().getKeyPair().getPrivate(), password, new X509Certificate[] {
            shown.bundle().getCertificate()
        });
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(keys, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), null, null);
        return context;
    }

    private static Map<String, String> options(String how, String listener, String... more) {
        Map<String, String> options = new HashMap<>();
        options.put("ldapserver", "localhost");
        options.put("ldapport", Integer.toString(directory.getListenPort(listener)));
        if (how.equals("simple")) {
            options.put("ldapprefix", "uid=");
            options.put("ldapsuffix", "," + PEOPLE);
        } else {
            options.put("ldapbasedn", "dc=example,dc=com");
            options.put("ldapbinddn", "cn=reader");
            options.put("ldapbindpasswd", "reads");
        }
        for (int i = 0; i < more.length; i += 2) {
            options.put(more[i], more[i + 1]);
        }
        return options;
    }

    private static LdapService service() {
        return new LdapService(LdapOptions.defaults().withLdapTlsCaCert(pki.authority()));
    }

    private static LdapOutcome ask(LdapService ldap, Map<String, String> options, String user, String password) {
        return ldap.authenticate(LdapTarget.of(options), user, Secret.of(password))
                .toCompletableFuture()
                .join();
    }

    @ParameterizedTest
    @CsvSource({
        "simple, plain, ldaptls, 0",
        "simple, plain, ldaptls, 1",
        "simple, tls, ldapscheme, ldaps",
        "search, plain, ldaptls, 0",
        "search, plain, ldaptls, 1",
        "search, tls, ldapscheme, ldaps"
    })
    void shouldLetInByThePassword(String how, String listener, String option, String value) {
        Map<String, String> options = options(how, listener, option, value);
        try (LdapService ldap = service()) {
            assertThat(ask(ldap, options, "alice", "alice's"))
                    .isEqualTo(new LdapOutcome.Accepted("uid=alice," + PEOPLE));
            assertThat(ask(ldap, options, "alice", "bob's")).isInstanceOf(LdapOutcome.Denied.class);
            assertThat(ask(ldap, options, "nobody", "alice's")).isInstanceOf(LdapOutcome.Denied.class);
            assertThat(ask(ldap, options, "bob", "bob's")).isEqualTo(new LdapOutcome.Accepted("uid=bob," + PEOPLE));
            assertThat(ldap.idleConnections()).isEqualTo(how.equals("simple") ? 1 : 2);
        }
    }

    /// Checklist 43: a bind without a password succeeds in every directory, as nobody.
    @ParameterizedTest
    @ValueSource(strings = {"simple", "search"})
    void shouldNeverBindWithoutAPassword(String how) {
        try (LdapService ldap = service()) {
            int before = BINDS.get();
            assertThat(ask(ldap, options(how, "plain"), "alice", "")).isInstanceOf(LdapOutcome.Denied.class);
            assertThat(BINDS.get()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "alice)(uid=*", "al*", "alice,ou=people", "alice\0", "(", "\\61lice"})
    void shouldNotLetANameFindAnother(String user) {
        try (LdapService ldap = service()) {
            for (String how : List.of("simple", "search")) {
                assertThat(ask(ldap, options(how, "plain"), user, "alice's"))
                        .as(how)
                        .isInstanceOf(LdapOutcome.Denied.class);
            }
        }
    }

    @Test
    void shouldRefuseAUserWithTwoEntries() {
        try (LdapService ldap = service()) {
            assertThat(ask(ldap, options("search", "plain"), "twin", "twin's"))
                    .isEqualTo(new LdapOutcome.Denied("more than one entry is of this user"));
        }
    }

    /// As many answers, so that nobody can tell from the time who has an entry.
    @Test
    void shouldBindForAnUnknownUserAsForAKnownOne() {
        try (LdapService ldap = service()) {
            Map<String, String> options = options("search", "plain");
            ask(ldap, options, "alice", "alice's");
            int before = BINDS.get();
            ask(ldap, options, "alice", "wrong");
            int known = BINDS.get() - before;
            ask(ldap, options, "nobody", "wrong");
            assertThat(BINDS.get() - before - known).isEqualTo(known);
        }
    }

    @ParameterizedTest
    @CsvSource({"tls, ldapscheme, ldaps", "plain, ldaptls, 1"})
    void shouldNotTellAPasswordToADirectoryThatNobodyVouchesFor(String listener, String option, String value) {
        try (LdapService strangers = new LdapService(LdapOptions.defaults()
                        .withLdapTlsCaCert(
                                TestPki.in(folder.resolve("stranger")).authority()));
                LdapService ours = service()) {
            int before = BINDS.get();
            assertThat(ask(strangers, options("simple", listener, option, value), "alice", "alice's"))
                    .isInstanceOf(LdapOutcome.Broken.class);
            // The certificate is good, but for another name.
            assertThat(ask(ours, options("simple", listener + "-elsewhere", option, value), "alice", "alice's"))
                    .isInstanceOf(LdapOutcome.Broken.class);
            assertThat(BINDS.get()).isEqualTo(before);
        }
    }

    @Test
    void shouldNotHoldItAgainstTheUserThatTheDirectoryIsAway() throws IOException {
        int closed;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        try (LdapService ldap = service()) {
            assertThat(ask(ldap, options("simple", "plain", "ldapport", Integer.toString(closed)), "alice", "alice's"))
                    .isInstanceOf(LdapOutcome.Broken.class);
            assertThat(ask(ldap, options("search", "plain", "ldapbindpasswd", "changed"), "alice", "alice's"))
                    .isInstanceOf(LdapOutcome.Broken.class);
            assertThat(ask(ldap, options("search", "plain", "ldapsearchfilter", "(no filter"), "alice", "alice's"))
                    .isInstanceOf(LdapOutcome.Broken.class);
        }
    }

    @Test
    void shouldComeBackWithTheDirectory() {
        try (LdapService ldap = service()) {
            Map<String, String> options = options("search", "plain");
            assertThat(ask(ldap, options, "alice", "alice's")).isInstanceOf(LdapOutcome.Accepted.class);
            directory.closeAllConnections(false); // those that are kept are of no use any more
            assertThat(ask(ldap, options, "alice", "alice's")).isInstanceOf(LdapOutcome.Accepted.class);
        }
    }

    /// A directory that takes connections and says nothing.
    @Test
    void shouldGiveUpOnADirectoryThatHangsAndServeTheOthers() throws IOException {
        LdapOptions limits = LdapOptions.defaults()
                .withLdapTimeout(Duration.ofMillis(400))
                .withLdapConnections(1)
                .withLdapQueue(1);
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                LdapService ldap = new LdapService(limits)) {
            List<Socket> accepted = new ArrayList<>();
            Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        accepted.add(silent.accept());
                    }
                } catch (IOException _) {
                    // the test is over
                }
            });
            LdapTarget hangs =
                    LdapTarget.of(options("simple", "plain", "ldapport", Integer.toString(silent.getLocalPort())));
            CompletableFuture<LdapOutcome> first = stage(ldap, hangs);
            CompletableFuture<LdapOutcome> second = stage(ldap, hangs);
            LdapOutcome third = stage(ldap, hangs).join();

            assertThat(third)
                    .isInstanceOfSatisfying(
                            LdapOutcome.Broken.class,
                            it -> assertThat(it.cause()).contains("too many logins wait for the directory"));
            assertThat(ask(ldap, options("simple", "plain"), "alice", "alice's"))
                    .isInstanceOf(LdapOutcome.Accepted.class);
            assertThat(first.join()).isInstanceOf(LdapOutcome.Broken.class);
            assertThat(second.join()).isInstanceOf(LdapOutcome.Broken.class);
            assertThat(ldap.refused()).isEqualTo(1);
        }
    }

    private static CompletableFuture<LdapOutcome> stage(LdapService ldap, LdapTarget target) {
        return ldap.authenticate(target, "alice", Secret.of("alice's")).toCompletableFuture();
    }

    @Test
    void shouldTakeTheNextServerWhenTheFirstIsAway() {
        try (LdapService ldap = service()) {
            assertThat(ask(ldap, options("simple", "plain", "ldapserver", "127.0.0.2 localhost"), "alice", "alice's"))
                    .isInstanceOf(LdapOutcome.Accepted.class);
        }
    }
}
