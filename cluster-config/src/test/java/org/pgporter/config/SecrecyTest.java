package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecrecyTest {
    private static final String SECRET = "hunter2";

    @Test
    void shouldNotShowPasswordsOfAConfiguration() {
        ProxyConfig config = Yaml.valid(Yaml.POOLS.replace("wonderland", SECRET)
                + "        server_username: role\n        server_password: " + SECRET);
        assertThat(config.toString()).doesNotContain(SECRET);
        assertThat(config.settings("app", "alice").orElseThrow().toString()).doesNotContain(SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{username: a, password: md5hunter2}",
                "{username: a, password: 'SCRAM-SHA-256$hunter2'}",
                "{username: a, password: [hunter2]}",
                "{username: a, password: {x: hunter2}}",
                "{username: a, password:hunter2}",
                "{username: a, password: *hunter2}",
                "{username: a, password: &hunter2 }",
                "{username: a, password: !hunter2 x}",
                "{username: a, password: 'x${hunter2}'}",
                "{username: a, password: \"\\x00hunter2\"}",
                "{username: a, password: \"hunter2}",
                "{username: a, password: x, server_password: 'jwt-pkey-fpath:hunter2'}",
                "{username: a, password: x, server_password: 'SCRAM-SHA-256$hunter2'}",
                "'password: hunter2'",
            })
    void shouldNotQuoteBrokenPasswords(String user) {
        assertThat(Yaml.problems("pools: {app: {users: [" + user + "]}}"))
                .isNotEmpty()
                .allSatisfy(problem -> assertThat(problem).doesNotContain(SECRET));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "port",
                "pool_mode",
                "idle_timeout",
                "so_reuseport",
                "tcp_socket_buffer_size",
                "unix_socket_dir",
                "unix_socket_mode"
            })
    void shouldNotQuoteWhatCameOutOfAReference(String key) {
        List<String> problems = Yaml.problems("general: {" + key + ": '${env:S}'}\n" + Yaml.POOLS, Map.of("S", SECRET));
        assertThat(problems)
                .hasSize(1)
                .allSatisfy(problem -> assertThat(problem).doesNotContain(SECRET));
    }

    @Test
    void shouldNotQuoteAnOutOfRangeNumberOfAReference() {
        assertThat(Yaml.problems("general: {port: '${env:S}'}\n" + Yaml.POOLS, Map.of("S", "987654")))
                .containsExactly("pgporter.yaml:1: general.port: must be from 0 to 65535");
    }
}
