package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.TokenGrant;
import org.pgporter.auth.credential.JwtKeyFile;

/// Who comes with a token, by the configuration.
class IssuersTest {
    private static final String ISSUERS = """
            issuers:
              corp: {issuer: "https://corp.example", discovery: true, audience: pgporter, auto_provision: true,
                     server_user: gateway, server_password: open, databases: [app]}
              lab: {issuer: "https://lab.example", public_key_file: /keys/lab.pem, audience: pgporter}
            pools:
              app:
                users:
                - {username: alice, password: wonderland}
                - {username: robot, issuer: lab, server_password: own}
              other:
                users:
                - {username: bob, password: builder}
            """;

    private static TokenGrant grant(String issuer) {
        return new TokenGrant(issuer, Optional.empty(), false);
    }

    @Test
    void shouldProvideForUsersThatNobodyKnows() {
        ProxyConfig config = Yaml.valid(ISSUERS);
        assertThat(config.settings("app", "carol", grant("corp"))).hasValueSatisfying(settings -> {
            assertThat(settings.user()).isEqualTo("carol");
            assertThat(settings.serverUser()).isEqualTo("gateway");
            assertThat(settings.serverPassword().orElseThrow().reveal()).isEqualTo("open");
            assertThat(settings.grant()).hasValue(grant("corp"));
        });
        assertThat(config.settings("other", "carol", grant("corp")))
                .as("not its database")
                .isEmpty();
        assertThat(config.settings("nowhere", "carol", grant("corp"))).isEmpty();
        assertThat(config.settings("app", "carol", grant("lab")))
                .as("provides for nobody")
                .isEmpty();
        assertThat(config.settings("app", "carol", grant("unknown"))).isEmpty();
    }

    /// The claim of a token must not be enough to be somebody whom the configuration knows.
    @Test
    void shouldNotMakeATokenAUserOfTheConfiguration() {
        ProxyConfig config = Yaml.valid(ISSUERS);
        assertThat(config.settings("app", "alice", grant("corp"))).isEmpty();
        assertThat(config.settings("app", "alice", grant("lab"))).isEmpty();
        assertThat(config.settings("app", "bob", grant("corp")))
                .as("known elsewhere")
                .isEmpty();
        assertThat(config.settings("app", "robot", grant("corp")))
                .as("of another issuer")
                .isEmpty();
        assertThat(config.settings("app", "robot", grant("lab"))).hasValueSatisfying(settings -> {
            assertThat(settings.serverUser()).isEqualTo("robot");
            assertThat(settings.serverPassword().orElseThrow().reveal()).isEqualTo("own");
        });
    }

    @Test
    void shouldAskOftenWhereATokenGivesARole() {
        ProxyConfig config = Yaml.valid(ISSUERS.replace("pools:", "general: {server_reset_query: ''}\npools:"));
        PoolSettings settings = config.settings("app", "carol", new TokenGrant("corp", Optional.of("analyst"), true))
                .orElseThrow();
        assertThat(settings.options().sessionStateCheck()).isEqualTo(StateCheck.ALWAYS);
        assertThat(settings.options().serverResetQuery()).isEqualTo("DISCARD ALL");
        assertThat(config.settings("app", "carol", grant("corp"))
                        .orElseThrow()
                        .options()
                        .sessionStateCheck())
                .isEqualTo(StateCheck.AUTO);
    }

    /// The ten keys of seed 003.
    @Test
    void shouldTakeTheWordsOfPgDog() {
        ProxyConfig config = Yaml.valid("""
                general:
                  jwt_public_key_file: /keys/key.pem
                  jwt_jwks_url: "https://issuer.example/keys"
                  jwt_jwks_cache_ttl: 300
                  jwt_issuer: "https://issuer.example"
                  jwt_audience: pgporter
                  jwt_username_claim: email
                  jwt_server_user: gateway
                  jwt_server_password: open
                  jwt_user_suffix: "@corp"
                  jwt_user_auto_provision: true
                  jwt_user_auto_provision_read_only: true
                """ + Yaml.POOLS);
        IssuerConfig issuer =
                java.util.Objects.requireNonNull(config.tokenIssuers().get("jwt"));
        assertThat(issuer.keys().files()).containsExactly(Path.of("/keys/key.pem"));
        assertThat(issuer.keys().jwksUrl()).as("the file goes first").isEmpty();
        assertThat(issuer.isFor("carol@corp")).isTrue();
        assertThat(issuer.isFor("carol")).isFalse();
        assertThat(config.settings("app", "carol@corp", new TokenGrant("jwt", Optional.empty(), true)))
                .isPresent();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{jwt_public_key_file: k.pem} | general.jwt_audience: is missing",
                "{jwt_jwks_url: 'https://x.example/k'} | general.jwt_audience: is missing",
                "{jwt_jwks_url: 'http://x.example/k', jwt_audience: a} | general.jwt_jwks_url: is not encrypted",
                "{jwt_audience: a} | general.jwt_public_key_file: is missing",
                "{jwt_user_auto_provision: true} | general.jwt_public_key_file: is missing",
                "{talos: {keys: [a/k.pem, b/k.pem]}} | general.talos.keys: has two files for key k",
            })
    void shouldRefuseInGeneral(String general, String expected) {
        assertThat(Yaml.problems("general: " + general + "\n" + Yaml.POOLS))
                .singleElement()
                .satisfies(problem -> assertThat(problem).contains(expected));
    }

    @Test
    void shouldWarnWhereNobodyLooksWhoIssuedAToken() {
        Loaded loaded = ProxyConfigLoader.parse(
                "general: {jwt_public_key_file: k.pem, jwt_audience: a}\n" + Yaml.POOLS, "x", _ -> Optional.empty());
        assertThat(loaded)
                .isInstanceOfSatisfying(
                        Loaded.Valid.class,
                        valid -> assertThat(valid.warnings())
                                .singleElement()
                                .satisfies(
                                        warning -> assertThat(warning.remedy()).isEqualTo("set jwt_issuer")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{audience: a, public_key_file: k} | issuers.corp.issuer: is missing",
                "{issuer: x, public_key_file: k} | issuers.corp.audience: is missing",
                "{issuer: x, audience: a} | issuers.corp.discovery: is off",
                "{issuer: x, audience: a, discovery: true} | issuers.corp.issuer: must be a URL",
                "{issuer: 'http://x.example', audience: a, discovery: true} | issuers.corp.issuer: is not encrypted",
                "{issuer: x, audience: a, jwks_url: 'ftp://x/k'} | issuers.corp.jwks_url: must be a URL",
                "{issuer: x, audience: a, jwks_url: 'https://u:p@x/k'} | issuers.corp.jwks_url: must be a URL",
                "{issuer: x, audience: a, public_key_file: k, algorithms: [none]} | issuers.corp.algorithms[0]: must be",
                "{issuer: x, audience: a, public_key_file: k, algorithms: [HS256]} | issuers.corp.algorithms[0]: must be",
                "{issuer: x, audience: a, public_key_file: k, algorithms: []} | issuers.corp.algorithms: must name",
                "{issuer: x, audience: a, public_key_file: k, leeway: '6m'} | issuers.corp.leeway: must not be more",
                "{issuer: x, audience: a, public_key_file: k, max_token_size: 1M} | issuers.corp.max_token_size: must",
                "{issuer: x, audience: a, public_key_file: k, role: none} | issuers.corp.role: is not the name",
                "{issuer: x, audience: a, public_key_file: k, role: r, role_claim: c} | issuers.corp.role: says what",
                "{issuer: x, audience: a, public_key_file: k, role_map: [{match: x}]} | issuers.corp.role_map: needs",
                "{issuer: x, audience: a, public_key_file: k, user_map: [{match: '('}]} | user_map[0].match: is not a",
                "{issuer: x, audience: a, public_key_file: k, max_users: 0} | issuers.corp.max_users: must be",
            })
    void shouldRefuseInAnIssuer(String issuer, String expected) {
        List<String> problems = Yaml.problems("issuers:\n  corp: " + issuer + "\n" + Yaml.POOLS);
        assertThat(problems).anySatisfy(problem -> assertThat(problem).contains(expected));
    }

    @Test
    void shouldHaveOneIssuerOfAName() {
        assertThat(Yaml.problems("issuers: {jwt: {issuer: x, audience: a, public_key_file: k}}\n"
                        + "general: {jwt_public_key_file: k, jwt_audience: a, jwt_issuer: x}\n" + Yaml.POOLS))
                .singleElement()
                .satisfies(problem -> assertThat(problem).contains("issuers.jwt: has the name"));
    }

    /// Seed 000.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "talos: {keys: [/etc/keys/abc.pem], databases: [app]}\n",
                "general: {talos: {keys: [/etc/keys/abc.pem], databases: [app]}}\n"
            })
    void shouldTakeTalosAtBothPlaces(String talos) {
        assertThat(Yaml.valid(talos + Yaml.POOLS).talosAnywhere()).hasValueSatisfying(found -> {
            assertThat(found.keys()).extracting(TalosConfig::keyId).containsExactly("abc");
            assertThat(found.databases()).containsExactly("app");
        });
    }

    @Test
    void shouldNotTakeTalosTwiceNorAUserOfItsName() {
        String talos = "talos: {keys: [], databases: []}\n";
        assertThat(Yaml.problems(talos + "general: {talos: {keys: []}}\n" + Yaml.POOLS))
                .singleElement()
                .satisfies(problem -> assertThat(problem).contains("talos: stands at the top and in section general"));
        assertThat(Yaml.problems(talos + "pools: {app: {users: [{username: talos, password: x}]}}"))
                .singleElement()
                .satisfies(problem -> assertThat(problem).contains("pools.app.users[0].username: is the user behind"));
    }

    /// Seed 000.
    @Test
    void shouldTakeAKeyFilePerUser() {
        ProxyConfig config =
                Yaml.valid("pools: {app: {users: [{username: robot, password: 'jwt-pkey-fpath:/keys/robot.pem'}]}}");
        assertThat(config.pool("app").orElseThrow().users().getFirst().password())
                .hasValue(new JwtKeyFile("/keys/robot.pem"));
    }
}
