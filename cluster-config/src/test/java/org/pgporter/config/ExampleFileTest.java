package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ExampleFileTest {
    private static final Path FILE = Path.of("../deploy/pgporter.example.yaml");
    private static final Pattern COMMENTED_OUT = Pattern.compile("(?m)^(\\s*)#((?:- )?[a-z0-9_]+:)");

    @Test
    void shouldLoadAsItStands() {
        assertThat(ProxyConfigLoader.load(FILE)).isInstanceOfSatisfying(Loaded.Valid.class, valid -> {
            assertThat(valid.warnings()).isEmpty();
            // Together with shouldWriteEveryDefaultOut: each key is there, and what is there is the default.
            assertThat(valid.config().general()).isEqualTo(GeneralConfig.defaults());
            assertThat(valid.config().cluster()).isEqualTo(ClusterConfig.defaults());
            PoolConfig pool = valid.config().pool("app").orElseThrow();
            assertThat(pool.withUsers()).isEqualTo(PoolConfig.defaults());
            assertThat(pool.users().getFirst().overrides()).isEqualTo(PoolOverrides.none());
        });
    }

    @Test
    void shouldLoadWithEveryKeySwitchedOn() throws IOException {
        // Given
        String yaml = allKeys().replace("    startup_parameters: {}\n\n    users", "    users");
        Map<String, String> environment = Map.of("PGPORTER_REPORT_PASSWORD", "one", "PGPORTER_READER_PASSWORD", "two");

        // When
        Loaded loaded =
                ProxyConfigLoader.parse(yaml, FILE.toString(), name -> Optional.ofNullable(environment.get(name)));

        // Then
        assertThat(loaded).isInstanceOfSatisfying(Loaded.Valid.class, valid -> {
            PoolOptions report =
                    valid.config().settings("app", "report").orElseThrow().options();
            assertThat(report.poolSize()).isEqualTo(5);
            AuthQueryConfig lookup =
                    valid.config().pool("app").orElseThrow().authQuery().orElseThrow();
            assertThat(lookup.options()).isEqualTo(AuthQueryOptions.defaults()); // what stands there is the default
            assertThat(report.startupParameters()).containsEntry("statement_timeout", "60s");
        });
    }

    @Test
    void shouldWriteEveryDefaultOut() throws IOException {
        String file = Files.readString(FILE);
        assertThat(keysIn(file, "general")).containsAll(withDefault(GeneralConfig.class));
        assertThat(keysIn(file, "cluster")).containsAll(withDefault(ClusterConfig.class));
        assertThat(keysIn(file, "pools")).contains("server_host", "server_port", "startup_parameters", "users");
    }

    @Test
    void shouldNameEveryKeyOfEverySection() throws IOException {
        String file = allKeys();
        assertThat(keysIn(file, "general")).isEqualTo(RecordBinder.keys(GeneralConfig.class));
        assertThat(keysIn(file, "cluster")).isEqualTo(RecordBinder.keys(ClusterConfig.class));
        Set<String> ofIssuers = new TreeSet<>(RecordBinder.keys(IssuerConfig.class));
        ofIssuers.addAll(Set.of("corp"));
        ofIssuers.remove("role"); // role_claim stands in its place
        assertThat(keysIn(file, "issuers")).isEqualTo(ofIssuers);
        Set<String> ofPools = new TreeSet<>(RecordBinder.keys(PoolConfig.class));
        ofPools.addAll(RecordBinder.keys(UserConfig.class));
        ofPools.addAll(RecordBinder.keys(AuthQueryConfig.class));
        ofPools.add("app");
        assertThat(keysIn(file, "pools")).isEqualTo(ofPools);
        String lastUser = file.substring(file.indexOf("- username: report"));
        assertThat(keys(lastUser)).isEqualTo(RecordBinder.keys(UserConfig.class));
    }

    private static String allKeys() throws IOException {
        return COMMENTED_OUT.matcher(Files.readString(FILE)).replaceAll("$1$2");
    }

    private static Set<String> keysIn(String file, String section) {
        String rest = file.substring(file.indexOf("\n" + section + ":") + section.length() + 2);
        return keys(rest.split("(?m)^[a-z]", 2)[0]);
    }

    private static Set<String> keys(String text) {
        return Pattern.compile("(?m)^\\s*(?:- )?([a-z0-9_]+):")
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toSet());
    }

    private static Set<String> withDefault(Class<?> type) {
        Set<String> keys = new LinkedHashSet<>();
        for (RecordComponent component : type.getRecordComponents()) {
            if (component.isAnnotationPresent(Flat.class)) {
                keys.addAll(withDefault(component.getType()));
            } else if (component.getType() != Optional.class) {
                keys.add(Records.key(component));
            }
        }
        return keys;
    }
}
