package org.pgporter.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/// Reads a configuration file. Nothing is thrown for what stands in the file: every mistake is in the
/// answer.
public final class ProxyConfigLoader {
    /// Thousands of users fit; what is larger is the wrong file.
    private static final int MOST_FILE_BYTES = 16 * 1024 * 1024;

    private ProxyConfigLoader() {}

    /// Reads `file` with the environment of this process.
    public static Loaded load(Path file) {
        try {
            if (Files.isDirectory(file)) {
                return invalid(file.toString(), "is a directory", "name the file");
            }
            if (Files.size(file) > MOST_FILE_BYTES) {
                return invalid(file.toString(), "is larger than " + MOST_FILE_BYTES + " bytes", "");
            }
            String yaml = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
            return parse(yaml, file.toString(), name -> Optional.ofNullable(System.getenv(name)));
        } catch (CharacterCodingException _) {
            return invalid(file.toString(), "is not UTF-8 text", "");
        } catch (IOException e) {
            return invalid(file.toString(), "the file " + References.cause(e), "");
        }
    }

    /// Reads the text of a file.
    ///
    /// @param fileName names the file in problems; relative `${file:…}` paths start from its folder
    /// @param environment looks up `${env:…}`
    public static Loaded parse(String yaml, String fileName, Function<String, Optional<String>> environment) {
        Problems problems = new Problems(fileName);
        Optional<ProxyConfig> config = compose(yaml, problems)
                .flatMap(root ->
                        new RecordBinder(problems, references(root, folder(fileName), environment)).bindRoot(root));
        if (config.isEmpty() || !problems.isEmpty()) {
            return new Loaded.Invalid(problems.errors());
        }
        warn(config.get(), problems);
        return new Loaded.Valid(config.get(), problems.warnings());
    }

    /// Where the secrets of a configuration are, whatever else stands in it and can be resolved; empty when it names
    /// no file of secrets.
    public static Optional<SecretsSource> secrets(Path file) throws IOException {
        Path folder = folder(file.toString());
        return compose(Files.readString(file), new Problems(file.toString()))
                .map(root ->
                        secretsOptions(root, new References(folder, name -> Optional.ofNullable(System.getenv(name)))))
                .filter(options -> options.secretsFile().isPresent())
                .map(options -> References.source(folder, options));
    }

    private static References references(Node root, Path folder, Function<String, Optional<String>> environment) {
        References references = new References(folder, environment);
        return references.with(secretsOptions(root, references));
    }

    /// What is wrong with the two keys is said when all keys are read.
    private static SecretsOptions secretsOptions(Node root, References references) {
        Optional<Node> general = value(root, "general");
        return general.flatMap(section -> path(section, "secrets_file", references))
                .map(file -> new SecretsOptions(
                        Optional.of(file), general.flatMap(section -> path(section, "secrets_key_file", references))))
                .orElse(SecretsOptions.defaults());
    }

    private static Optional<Path> path(Node section, String key, References references) {
        return value(section, key)
                .filter(ScalarNode.class::isInstance)
                .map(node -> ((ScalarNode) node).getValue())
                .flatMap(text -> {
                    try {
                        return Optional.of(Path.of(references.resolve(text).text()));
                    } catch (References.Unresolved | InvalidPathException _) {
                        return Optional.empty();
                    }
                });
    }

    private static Optional<Node> value(Node section, String key) {
        return section instanceof MappingNode mapping
                ? mapping.getValue().stream()
                        .filter(tuple -> tuple.getKeyNode() instanceof ScalarNode name
                                && name.getValue().equals(key))
                        .map(NodeTuple::getValueNode)
                        .findFirst()
                : Optional.empty();
    }

    private static Optional<Node> compose(String yaml, Problems problems) {
        LoadSettings settings = LoadSettings.builder()
                .setCodePointLimit(MOST_FILE_BYTES)
                .setAllowNonScalarKeys(true) // the binder refuses them, and knows the line
                .build();
        try {
            Optional<Node> root = new Compose(settings).composeString(yaml);
            if (root.isEmpty()) {
                problems.error(0, "", "is empty", "see deploy/pgporter.example.yaml");
            }
            return root;
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark()
                    .or(e::getContextMark)
                    .map(mark -> mark.getLine() + 1)
                    .orElse(0);
            problems.error(line, "", "broken YAML: " + explain(e), "");
        } catch (YamlEngineException _) {
            problems.error(0, "", "broken YAML: a character that no text has, or too much of it", "");
        } catch (StackOverflowError _) {
            // The parser recurses with each level and knows no limit of its own; our schema has six.
            problems.error(0, "", "broken YAML: nested too deeply", "");
        }
        return Optional.empty();
    }

    /// The parser's words, unless they quote the text, which may be a password without its quotation marks.
    private static String explain(MarkedYamlEngineException e) {
        String problem = e.getProblem() == null ? "" : e.getProblem();
        if (problem.contains("alias") || problem.contains("anchor") || problem.contains("tag")) {
            return "`*`, `&` and `!` have a meaning at the beginning of a value, so such text must be quoted";
        }
        return problem.isEmpty() ? "it cannot be read" : problem;
    }

    private static void warn(ProxyConfig config, Problems problems) {
        if (config.general().jwt().issuer().isPresent()
                && config.general().jwt().jwtIssuer().isEmpty()) {
            problems.warning(
                    "general.jwt_audience",
                    "alone says which tokens are meant: without jwt_issuer nobody looks who issued them",
                    "set jwt_issuer");
        }
        config.pools().forEach((name, pool) -> {
            pool.authQuery().ifPresent(query -> warn(query, "pools." + name + ".auth_query", problems));
            List<UserConfig> users = pool.users();
            for (int i = 0; i < users.size(); i++) {
                UserConfig user = users.get(i);
                boolean otherRole = user.serverUsername()
                        .filter(role -> !role.equals(user.username()))
                        .isPresent();
                if (otherRole && user.serverPassword().isEmpty()) {
                    problems.warning(
                            "pools." + name + ".users[" + i + "].server_username",
                            "has no server_password, so the backend must trust this role",
                            "add server_password");
                }
            }
        });
    }

    private static void warn(AuthQueryConfig auth, String path, Problems problems) {
        boolean forgetsValidity = auth.query()
                .map(query -> query.toLowerCase(Locale.ROOT))
                .filter(query -> query.contains("pg_shadow") || query.contains("pg_authid"))
                .filter(query -> !query.contains("valuntil") && !query.contains("rolvaliduntil"))
                .isPresent();
        if (forgetsValidity) {
            problems.warning(
                    path + ".query",
                    "does not look at VALID UNTIL, so passwords that have expired open the door",
                    "select valuntil as well");
        }
        if (auth.dedicated() && auth.serverPassword().isEmpty()) {
            problems.warning(
                    path + ".server_user",
                    "has no server_password, so the backend must trust this role",
                    "add server_password");
        }
    }

    private static Path folder(String fileName) {
        try {
            Path folder = Path.of(fileName).toAbsolutePath().getParent();
            return folder == null ? Path.of("/") : folder;
        } catch (InvalidPathException _) {
            return Path.of("").toAbsolutePath();
        }
    }

    private static Loaded invalid(String file, String message, String remedy) {
        return new Loaded.Invalid(List.of(new ConfigProblem(file, 0, "", message, remedy)));
    }
}
