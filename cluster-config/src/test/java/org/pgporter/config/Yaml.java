package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Loads texts as the file `pgporter.yaml`.
final class Yaml {
    /// The smallest section that is complete.
    static final String POOLS = """
            pools:
              app:
                users:
                  - username: alice
                    password: wonderland
            """;

    private Yaml() {}

    static Loaded load(String yaml, Map<String, String> environment) {
        return ProxyConfigLoader.parse(yaml, "pgporter.yaml", name -> Optional.ofNullable(environment.get(name)));
    }

    static ProxyConfig valid(String yaml) {
        return switch (load(yaml, Map.of())) {
            case Loaded.Valid valid -> {
                assertThat(valid.warnings()).isEmpty();
                yield valid.config();
            }
            case Loaded.Invalid invalid -> fail("refused: " + invalid.problems());
        };
    }

    static List<String> warnings(String yaml) {
        return switch (load(yaml, Map.of())) {
            case Loaded.Valid valid ->
                valid.warnings().stream().map(ConfigProblem::toString).toList();
            case Loaded.Invalid invalid -> fail("refused: " + invalid.problems());
        };
    }

    static List<String> problems(String yaml, Map<String, String> environment) {
        return switch (load(yaml, environment)) {
            case Loaded.Valid valid -> fail("accepted: " + valid.config());
            case Loaded.Invalid invalid ->
                invalid.problems().stream().map(ConfigProblem::toString).toList();
        };
    }

    static List<String> problems(String yaml) {
        return problems(yaml, Map.of());
    }
}
