package org.pgporter.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// Where `${secret:NAME}` finds what it stands for; part of section `general`. Read before everything else, so that
/// neither of the two can be such a reference itself.
///
/// @param secretsFile made by `pgporter secrets`; relative to the configuration file's folder
/// @param secretsKeyFile the key that opens it; absent: the environment variable `PGPORTER_SECRETS_KEY`
public record SecretsOptions(Optional<Path> secretsFile, Optional<Path> secretsKeyFile) {
    private static final SecretsOptions DEFAULTS = new SecretsOptions(Optional.empty(), Optional.empty());

    public SecretsOptions {
        new Checks()
                .require(
                        secretsFile.isPresent() || secretsKeyFile.isEmpty(),
                        "secrets_key_file",
                        "opens nothing",
                        "add secrets_file",
                        Set.of("secrets_file", "secrets_key_file"))
                .throwIfAny();
    }

    public static SecretsOptions defaults() {
        return DEFAULTS;
    }
}
