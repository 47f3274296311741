package org.pgporter.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/// Where an encrypted file of secrets and its key are.
///
/// @param file the file
/// @param keyFile the file with its key; empty: [#KEY_VARIABLE] has it
public record SecretsSource(Path file, Optional<Path> keyFile) {
    /// The environment variable with the key.
    public static final String KEY_VARIABLE = "PGPORTER_SECRETS_KEY";

    /// A key and the end of its line; what is larger is the wrong file.
    private static final int MOST_KEY_BYTES = 1024;

    /// Reads the file.
    ///
    /// @throws SecretsFile.Unreadable with words that name the file and the reason
    public SecretsFile open(Function<String, Optional<String>> environment) throws SecretsFile.Unreadable {
        byte[] key = key(environment);
        byte[] content = bytes(file, SecretsFile.MOST_BYTES);
        try {
            return SecretsFile.open(content, key);
        } catch (SecretsFile.Unreadable e) {
            throw new SecretsFile.Unreadable("the file " + file + " " + e.reason());
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /// Reads the key.
    ///
    /// @throws SecretsFile.Unreadable with words that name its place and the reason
    public byte[] key(Function<String, Optional<String>> environment) throws SecretsFile.Unreadable {
        if (keyFile.isPresent()) {
            return key(keyFile.get());
        }
        String text = environment
                .apply(KEY_VARIABLE)
                .orElseThrow(() -> new SecretsFile.Unreadable(
                        "there is no key: neither secrets_key_file nor the environment variable " + KEY_VARIABLE));
        try {
            return SecretsFile.key(text);
        } catch (SecretsFile.Unreadable e) {
            throw new SecretsFile.Unreadable("the environment variable " + KEY_VARIABLE + " " + e.reason());
        }
    }

    /// Reads the key that stands in a file.
    ///
    /// @throws SecretsFile.Unreadable with words that name the file and the reason
    public static byte[] key(Path keyFile) throws SecretsFile.Unreadable {
        byte[] text = bytes(keyFile, MOST_KEY_BYTES);
        try {
            return SecretsFile.key(new String(text, StandardCharsets.ISO_8859_1));
        } catch (SecretsFile.Unreadable e) {
            throw new SecretsFile.Unreadable("the file " + keyFile + " " + e.reason());
        } finally {
            Arrays.fill(text, (byte) 0);
        }
    }

    private static byte[] bytes(Path file, int most) throws SecretsFile.Unreadable {
        try (var in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(most + 1);
            if (bytes.length > most) {
                throw new SecretsFile.Unreadable("the file " + file + " has more than " + most + " bytes");
            }
            return bytes;
        } catch (IOException e) {
            throw new SecretsFile.Unreadable("the file " + file + " " + References.cause(e));
        }
    }
}
