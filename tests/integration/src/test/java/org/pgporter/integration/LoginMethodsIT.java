package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.IoTransport;
import org.pgporter.config.RuleSource;
import org.pgporter.config.UserConfig;
import org.pgporter.node.os.Pam;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.support.PgTools;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// The methods that rules can demand, each with a real counterpart.
class LoginMethodsIT {
    private static final String PASSWORD = "correct horse";
    private static final String SCRAM = "methods_scram";
    private static final String MD5 = "methods_md5";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki pki;

    @SuppressWarnings("NullAway.Init")
    private static TestPki.Identity server;

    @BeforeAll
    static void start() {
        TestPostgres.shared().createUser(SCRAM, PASSWORD, "scram-sha-256");
        TestPostgres.shared().createUser(MD5, PASSWORD, "md5");
        pki = TestPki.in(folder.resolve("pki"));
        server = pki.server("localhost");
    }

    private static TestNode node(String rules, UnaryOperator<GeneralConfig> change, UserConfig... users) {
        TestPostgres postgres = TestPostgres.shared();
        TestNode.Builder builder = TestNode.inFrontOf(postgres.host(), postgres.port());
        for (UserConfig user : users) {
            builder.user("postgres", user);
        }
        return builder.general(general -> change.apply(
                        general.withAccess(general.access().withPgHba(RuleSource.of(rules, "rules.yaml")))))
                .start();
    }

    /// A user with whatever PostgreSQL has stored, and so with no way in but what the login itself teaches.
    private static UserConfig stored(String user) {
        return UserConfig.of(user, StoredCredential.parse(TestPostgres.shared().secretOf(user)));
    }

    /// A user that no password opens the door to, with a role of its own at the server.
    private static UserConfig nobodys(String user) {
        return UserConfig.of(user, StoredCredential.parse("nobody knows this one"))
                .withServerLogin(SCRAM, Secret.of(PASSWORD));
    }

    private static void with(TestNode node, Consumer<RawClient> action) {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            action.accept(client);
        }
    }

    private static void assertServed(RawClient client, String role) {
        assertThat(client.query("select current_user").getFirst()).containsExactly(role);
        client.terminates();
    }

    private static void assertRefused(ErrorResponse error, String sqlState, String message) {
        assertThat(error.message()).isEqualTo(message);
        assertThat(error.sqlState().code()).isEqualTo(sqlState);
    }

    // ---- password

    @ParameterizedTest
    @ValueSource(strings = {SCRAM, MD5})
    void shouldOpenPostgresWithAPasswordInClearText(String user) {
        try (TestNode node = node("host all all all password", it -> it, stored(SCRAM), stored(MD5))) {
            with(node, client -> assertServed(client.logsIn(user, PASSWORD, "postgres"), user));
            with(
                    node,
                    client -> assertRefused(
                            client.logsInExpectingError(user, "wrong", "postgres"),
                            "28P01",
                            "password authentication failed for user \"" + user + "\""));
            with(
                    node,
                    client -> assertRefused(
                            client.logsInExpectingError("nobody", PASSWORD, "postgres"),
                            "28P01",
                            "password authentication failed for user \"nobody\""));
            with(
                    node,
                    client -> assertRefused(
                            client.logsInExpectingError(user, "", "postgres"),
                            "28P01",
                            "password authentication failed for user \"" + user + "\""));
        }
    }

    /// Longer than any token; PostgreSQL takes 65,535 bytes with the NUL and the length.
    @ParameterizedTest
    @ValueSource(strings = {"password", "scram-sha-256"})
    void shouldTakePasswordsOfSixtyFourKilobytes(String method) {
        String user = "methods_long_" + method.length();
        String longest = "päss".repeat(13_000);
        TestPostgres.shared().createUser(user, longest, "scram-sha-256");
        try (TestNode node = node(
                "host all all all " + method,
                it -> it,
                UserConfig.of(user, StoredCredential.parse(longest)),
                stored(SCRAM))) {
            with(node, client -> assertServed(client.logsIn(user, longest, "postgres"), user));
            with(
                    node,
                    client -> assertRefused(
                            client.logsInExpectingError(user, longest.substring(1), "postgres"),
                            "28P01",
                            "password authentication failed for user \"" + user + "\""));
        }
    }

    /// What SASLprep changes, and what it forbids: libpq and PostgreSQL decide what is right.
    @ParameterizedTest
    @ValueSource(strings = {"password", "scram-sha-256"})
    void shouldPrepareOddPasswordsAsPostgresDoes(String method) {
        Optional<PgTools> psql = PgTools.psql();
        assumeTrue(psql.isPresent(), PgTools.MISSING);
        List<String> passwords = List.of(
                "I\u00ADX", "\u2168", "a\u00A0b", "x\u0007y", "\u0627\u0031", "пароль", "\uD83D\uDD11", "\u0221");
        UserConfig[] users = new UserConfig[passwords.size()];
        for (int i = 0; i < users.length; i++) {
            String user = "methods_odd_" + method.length() + "_" + i;
            TestPostgres.shared().createUser(user, passwords.get(i), "scram-sha-256");
            users[i] = UserConfig.of(user, StoredCredential.parse(passwords.get(i)));
        }
        try (TestNode node = node("host all all all " + method, it -> it, users)) {
            for (int i = 0; i < users.length; i++) {
                PgTools.Result result = psql.get()
                        .run(libpq(node, users[i].username(), passwords.get(i)), "-Atc", "select current_user");
                assertThat(result.stdout()).as(i + ": " + result.stderr()).contains(users[i].username());
            }
        }
    }

    private static Map<String, String> libpq(TestNode node, String user, String password) {
        Map<String, String> variables = new HashMap<>();
        variables.put("PGHOST", "localhost");
        variables.put("PGHOSTADDR", node.host());
        variables.put("PGPORT", Integer.toString(node.port()));
        variables.put("PGUSER", user);
        variables.put("PGPASSWORD", password);
        variables.put("PGDATABASE", "postgres");
        variables.put("LC_ALL", "C.UTF-8");
        return variables;
    }

    // ---- cert

    private static UnaryOperator<GeneralConfig> asking() {
        return general -> general.withClientTls(general.clientTls()
                .withIdentity(server.certificate(), server.key())
                .withTlsCaCert(pki.authority()));
    }

    @Test
    void shouldLetInByCertificate() throws IOException { // checklist 42
        UnaryOperator<GeneralConfig> maps = general -> general.withAccess(
                general.access().withPgIdent(RuleSource.of("staff  /^CN=(.*)$  \\1\n", "maps.yaml")));
        try (TestNode node = node(
                "hostssl all alice all cert\nhostssl all bob all cert map=staff clientname=DN\nhost all all all reject",
                general -> maps.apply(asking().apply(general)),
                nobodys("alice"),
                nobodys("bob"))) {
            assertServed(encrypted(node, pki.client("alice")).logsIn("alice", "", "postgres"), SCRAM);
            assertServed(encrypted(node, pki.client("bob")).logsIn("bob", "", "postgres"), SCRAM);
            for (String user : List.of("alice", "bob")) {
                for (String other : List.of("mallory", user.toUpperCase(Locale.ROOT), user + ",O=x")) {
                    try (RawClient client = encrypted(node, pki.client(other.replace(",", "\\,")))) {
                        assertRefused(
                                client.logsInExpectingError(user, "", "postgres"),
                                "28000",
                                "certificate authentication failed for user \"" + user + "\"");
                    }
                }
            }
            try (RawClient client = RawClient.connects(node.host(), node.port())) {
                client.encrypts(pki.trusting());
                assertRefused(
                        client.logsInExpectingError("alice", "", "postgres"),
                        "28000",
                        "connection requires a valid client certificate");
            }
        }
    }

    @Test
    void shouldServePsqlByCertificate() throws IOException {
        Optional<PgTools> psql = PgTools.psql();
        assumeTrue(psql.isPresent(), PgTools.MISSING);
        TestPki.Identity shown = pki.client("alice");
        Files.setPosixFilePermissions(shown.key(), PosixFilePermissions.fromString("rw-------"));
        try (TestNode node = node("hostssl all all all cert", asking(), nobodys("alice"))) {
            Map<String, String> variables = libpq(node, "alice", "");
            variables.put("PGSSLMODE", "verify-full");
            variables.put("PGSSLROOTCERT", pki.authority().toString());
            variables.put("PGSSLCERT", shown.certificate().toString());
            variables.put("PGSSLKEY", shown.key().toString());
            PgTools.Result result = psql.get().run(variables, "-wAtc", "select 'served'");
            assertThat(result.stdout()).as(result.stderr()).contains("served");
        }
    }

    @Test
    void shouldDemandACertificateBesideAPassword() {
        try (TestNode node = node(
                "hostssl all all all scram-sha-256 clientcert=verify-full", asking(), stored(SCRAM), stored(MD5))) {
            assertServed(encrypted(node, pki.client(SCRAM)).logsIn(SCRAM, PASSWORD, "postgres"), SCRAM);
            try (RawClient another = encrypted(node, pki.client("another"));
                    RawClient wrong = encrypted(node, pki.client(SCRAM))) {
                // As PostgreSQL: the words do not tell what was wrong.
                ErrorResponse error = another.logsInExpectingError(SCRAM, PASSWORD, "postgres");
                assertRefused(error, "28P01", "password authentication failed for user \"" + SCRAM + "\"");
                assertThat(wrong.logsInExpectingError(SCRAM, "wrong", "postgres")
                                .fields())
                        .isEqualTo(error.fields());
            }
            try (RawClient none = RawClient.connects(node.host(), node.port())) {
                none.encrypts(pki.trusting());
                assertRefused(
                        none.logsInExpectingError(SCRAM, PASSWORD, "postgres"),
                        "28000",
                        "connection requires a valid client certificate");
            }
        }
        try (TestNode node = node("hostssl all all all scram-sha-256 clientcert=verify-ca", asking(), stored(SCRAM))) {
            assertServed(encrypted(node, pki.client("another")).logsIn(SCRAM, PASSWORD, "postgres"), SCRAM);
        }
    }

    @Test
    void shouldLetNobodyInByACertificateThatNobodyCouldVerify() {
        try (TestNode node = node(
                        "hostssl all all all cert",
                        general -> general.withClientTls(
                                general.clientTls().withIdentity(server.certificate(), server.key())),
                        nobodys("alice"));
                RawClient client = encrypted(node, pki.client("alice"))) {
            assertRefused(
                    client.logsInExpectingError("alice", "", "postgres"),
                    "F0000",
                    "client certificates can only be checked if a root certificate store is available");
        }
    }

    private static RawClient encrypted(TestNode node, TestPki.Identity shown) {
        return RawClient.connects(node.host(), node.port()).encrypts(pki.trusting(shown));
    }

    /// A refusal in a method's own words is a failure as a wrong password is: whoever guesses has to wait.
    @Test
    void shouldCountWhatMethodsRefuseInTheirOwnWords() {
        try (TestNode node = node(
                "hostssl all all all cert",
                general -> asking().apply(
                                general.withLoginLimits(general.loginLimits().withLoginFailuresPerUser(2))),
                nobodys("alice"))) {
            for (String sqlState : List.of("28000", "28000", "53400")) {
                try (RawClient client = encrypted(node, pki.client("mallory"))) {
                    assertThat(client.logsInExpectingError("alice", "", "postgres")
                                    .sqlState()
                                    .code())
                            .isEqualTo(sqlState);
                }
            }
        }
    }

    // ---- peer

    @Test
    void shouldAskTheKernelWhoIsThere(@TempDir Path sockets) {
        String me = System.getProperty("user.name");
        try (TestNode node = node(
                "local all mapped peer map=os\nlocal all all peer\nhost all all all reject",
                general -> general.withListener(general.listener().withUnixSocketDir(sockets))
                        .withAccess(general.access().withPgIdent(RuleSource.of("os " + me + " mapped", "maps"))),
                nobodys("mapped"),
                nobodys("somebody"),
                nobodys(me))) {
            for (String user : List.of("mapped", me)) {
                try (RawClient client = RawClient.connects(sockets, unixPort(node))) {
                    assertServed(client.logsIn(user, "", "postgres"), SCRAM);
                }
            }
            try (RawClient client = RawClient.connects(sockets, unixPort(node))) {
                assertRefused(
                        client.logsInExpectingError("somebody", "", "postgres"),
                        "28000",
                        "Peer authentication failed for user \"somebody\"");
            }
        }
    }

    @Test
    void shouldRefusePeersThatItCannotKnow(@TempDir Path sockets) {
        String me = System.getProperty("user.name");
        try (TestNode node = node(
                        "local all all peer",
                        general -> general.withListener(general.listener().withUnixSocketDir(sockets))
                                .withEventLoops(general.eventLoops().withIo(IoTransport.NIO)),
                        nobodys(me));
                RawClient client = RawClient.connects(sockets, unixPort(node))) {
            assertRefused(
                    client.logsInExpectingError(me, "", "postgres"),
                    "28000",
                    "Peer authentication failed for user \"" + me + "\"");
        }
    }

    private static int unixPort(TestNode node) {
        return Integer.parseInt(
                String.valueOf(node.node().addresses().getLast()).replaceAll(".*\\.", ""));
    }

    // ---- pam

    @Test
    void shouldAskPam() throws IOException {
        assumeTrue(Pam.available(), "libpam.so.0 is not there");
        Path services = Path.of("/etc/pam.d");
        assumeTrue(Files.isWritable(services), "/etc/pam.d cannot be written to: run the tests as root");
        String name = "pgporter-it-" + ProcessHandle.current().pid();
        Path script = Files.writeString(
                folder.resolve("pam-script"), "#!/bin/sh\n[ \"$(tr -d '\\000')\" = \"$PAM_USER of $PAM_RHOST\" ]\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path service = Files.writeString(
                services.resolve(name),
                "auth required pam_exec.so quiet expose_authtok " + script + "\naccount required pam_permit.so\n");
        try {
            try (TestNode node = node("host all all all pam pamservice=" + name, it -> it, nobodys("alice"))) {
                assertPam(node);
            }
            // Without rules it is the user who says so.
            TestPostgres postgres = TestPostgres.shared();
            try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                    .user("postgres", nobodys("alice").withAuthPamService(name))
                    .start()) {
                assertPam(node);
            }
        } finally {
            Files.delete(service);
        }
    }

    private static void assertPam(TestNode node) {
        with(node, client -> assertServed(client.logsIn("alice", "alice of 127.0.0.1", "postgres"), SCRAM));
        with(
                node,
                client -> assertRefused(
                        client.logsInExpectingError("alice", "bob of 127.0.0.1", "postgres"),
                        "28000",
                        "PAM authentication failed for user \"alice\""));
    }

    // ---- ldap

    @Test
    void shouldAskADirectory() throws Exception {
        InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig("dc=example");
        config.addAdditionalBindCredentials("cn=reader", "reads");
        config.setListenerConfigs(
                InMemoryListenerConfig.createLDAPConfig("plain", InetAddress.getByName("127.0.0.1"), 0, null));
        try (InMemoryDirectoryServer directory = new InMemoryDirectoryServer(config)) {
            directory.add("dn: dc=example", "objectClass: domain", "dc: example");
            directory.add(
                    "dn: uid=alice,dc=example",
                    "objectClass: inetOrgPerson",
                    "uid: alice",
                    "cn: Alice",
                    "sn: A",
                    "userPassword: alice's");
            directory.startListening();
            int port = directory.getListenPort();
            for (String options : List.of(
                    "ldapprefix=\"uid=\" ldapsuffix=\",dc=example\"",
                    "ldapbasedn=\"dc=example\" ldapbinddn=\"cn=reader\" ldapbindpasswd=reads",
                    "ldapbasedn=\"dc=example\" ldapbinddn=\"cn=reader\" ldapbindpasswd=reads"
                            + " ldapsearchfilter=\"(&(uid=$username)(cn=Alice))\"")) {
                try (TestNode node = node(
                        "host all all all ldap ldapserver=127.0.0.1 ldapport=" + port + " " + options,
                        it -> it,
                        nobodys("alice"),
                        nobodys("*"))) {
                    with(node, client -> assertServed(client.logsIn("alice", "alice's", "postgres"), SCRAM));
                    for (String user : List.of("alice", "*", "nobody")) {
                        for (String password : List.of("wrong", user.equals("alice") ? "Alice's" : "alice's")) {
                            with(
                                    node,
                                    client -> assertRefused(
                                            client.logsInExpectingError(user, password, "postgres"),
                                            "28000",
                                            "LDAP authentication failed for user \"" + user + "\""));
                        }
                    }
                }
            }
            directory.shutDown(true);
            try (TestNode node = node(
                    "host all all all ldap ldapserver=127.0.0.1 ldapprefix=x ldapport=" + port,
                    it -> it,
                    nobodys("alice"))) {
                with(
                        node,
                        client -> assertRefused(
                                client.logsInExpectingError("alice", "alice's", "postgres"),
                                "58000",
                                "authentication is unavailable at the moment"));
            }
        }
    }
}
