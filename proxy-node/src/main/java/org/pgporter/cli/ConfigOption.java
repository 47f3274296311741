package org.pgporter.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.pgporter.config.ConfigProblem;
import org.pgporter.config.Loaded;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.ProxyConfigLoader;
import org.pgporter.node.hba.AccessRules;
import org.pgporter.node.tls.NodeTls;
import org.pgporter.node.token.NodeTokens;
import picocli.CommandLine.Option;

/// The option `--config`, which `serve` and `check` share, and the report of what is wrong with the file.
final class ConfigOption {
    @Option(
            names = {"-c", "--config"},
            required = true,
            paramLabel = "FILE",
            description = "The configuration file, YAML.")
    private Path file = Path.of("");

    /// The file as the user named it.
    Path file() {
        return file;
    }

    /// Loads the file. Problems and warnings are printed, one in each line as `file:line: key: message`; with
    /// problems there is no configuration.
    Optional<ProxyConfig> load(PrintWriter problems, PrintWriter warnings) {
        return load(file, problems, warnings);
    }

    static Optional<ProxyConfig> load(Path file, PrintWriter problems, PrintWriter warnings) {
        return switch (ProxyConfigLoader.load(file)) {
            case Loaded.Valid(var config, var found) -> {
                print(warnings, "warning: ", found);
                var files = Stream.concat(
                                NodeTls.problems(config).stream().map(it -> problem(file, it.key(), it.reason())),
                                NodeTokens.problems(config).stream().map(it -> problem(file, it.key(), it.reason())))
                        .toList();
                print(problems, "", files);
                var rules = AccessRules.look(config);
                print(warnings, "warning: ", rules.warnings());
                print(problems, "", rules.problems());
                yield files.isEmpty() && rules.problems().isEmpty() ? Optional.of(config) : Optional.empty();
            }
            case Loaded.Invalid(var found) -> {
                print(problems, "", found);
                yield Optional.empty();
            }
        };
    }

    private static ConfigProblem problem(Path file, String key, String reason) {
        return new ConfigProblem(file.toString(), 0, key, reason, "");
    }

    private static void print(PrintWriter out, String prefix, List<?> problems) {
        problems.forEach(problem -> out.println(prefix + problem));
        out.flush();
    }
}
