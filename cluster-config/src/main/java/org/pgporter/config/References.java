package org.pgporter.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Replaces `${env:NAME}`, `${file:PATH}` and `${secret:NAME}` in values. `$${` stands for the characters `${`. What
/// was put in is
/// not looked at again, so a password may contain anything.
final class References {
    /// The text of a value, and whether part of it came from elsewhere and must not be shown.
    record Resolved(String text, boolean hidden) {}

    /// Thrown with a message that names the reference, never its value.
    static final class Unresolved extends Exception {
        private static final long serialVersionUID = 1L;

        Unresolved(String message) {
            super(message);
        }
    }

    /// A password, a certificate chain and then some; what is larger is the wrong file.
    private static final int MOST_FILE_BYTES = 65_536;

    private static final Pattern REFERENCE =
            Pattern.compile("\\$\\$\\{|\\$\\{(?:env:([A-Za-z_][A-Za-z0-9_]*)}|file:([^${}\\x00-\\x1f]+)}"
                    + "|secret:([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})}|)");

    private final Path folder;
    private final Function<String, Optional<String>> environment;
    private final Secrets secrets;

    /// The secrets that `${secret:NAME}` stands for.
    @FunctionalInterface
    interface Secrets {
        SecretsFile open() throws Unresolved;
    }

    /// @param folder what relative paths start from: the configuration file's folder
    References(Path folder, Function<String, Optional<String>> environment) {
        this(folder, environment, () -> {
            throw new Unresolved("needs general.secrets_file, which is not there");
        });
    }

    private References(Path folder, Function<String, Optional<String>> environment, Secrets secrets) {
        this.folder = folder;
        this.environment = environment;
        this.secrets = secrets;
    }

    /// The same with secrets from a file, which is read when it is first needed.
    ///
    /// @param options paths as they stand in the configuration
    References with(SecretsOptions options) {
        if (options.secretsFile().isEmpty()) {
            return this;
        }
        SecretsSource source = source(folder, options);
        Optional<?>[] opened = {Optional.empty()};
        return new References(folder, environment, () -> {
            if (opened[0].orElse(null) instanceof SecretsFile file) {
                return file;
            }
            try {
                SecretsFile file = source.open(environment);
                opened[0] = Optional.of(file);
                return file;
            } catch (SecretsFile.Unreadable e) {
                throw new Unresolved("needs a secret, but " + e.reason());
            }
        });
    }

    /// Both paths start from the configuration file's folder.
    static SecretsSource source(Path folder, SecretsOptions options) {
        return new SecretsSource(
                folder.resolve(options.secretsFile().orElseThrow()),
                options.secretsKeyFile().map(folder::resolve));
    }

    /// A file that a value names.
    Path locate(String name) {
        return folder.resolve(name);
    }

    Resolved resolve(String raw) throws Unresolved {
        Matcher matcher = REFERENCE.matcher(raw);
        StringBuilder text = new StringBuilder();
        boolean hidden = false;
        while (matcher.find()) {
            String value;
            if (matcher.group(1) != null) {
                value = variable(matcher.group(1));
                hidden = true;
            } else if (matcher.group(2) != null) {
                value = content(matcher.group(2));
                hidden = true;
            } else if (matcher.group(3) != null) {
                value = secret(matcher.group(3));
                hidden = true;
            } else if (matcher.group().equals("$${")) {
                value = "${";
            } else {
                // Not quoted here: it may be the middle of a password.
                throw new Unresolved(
                        "has `${` without `env:NAME}`, `file:PATH}` or `secret:NAME}` after it; write `$${` for the"
                                + " characters `${`");
            }
            matcher.appendReplacement(text, Matcher.quoteReplacement(value));
        }
        matcher.appendTail(text);
        return new Resolved(text.toString(), hidden);
    }

    private String variable(String name) throws Unresolved {
        return environment
                .apply(name)
                .orElseThrow(() -> new Unresolved("needs the environment variable " + name + ", which is not set"));
    }

    private String secret(String name) throws Unresolved {
        return secrets.open()
                .get(name)
                .orElseThrow(() -> new Unresolved("needs the secret " + name + ", which is not in the secrets_file"))
                .reveal();
    }

    private String content(String name) throws Unresolved {
        try {
            Path file = folder.resolve(name);
            byte[] bytes;
            try (InputStream in = Files.newInputStream(file)) {
                bytes = in.readNBytes(MOST_FILE_BYTES + 1);
            }
            if (bytes.length > MOST_FILE_BYTES) {
                throw new Unresolved("needs the file " + name + ", which has more than " + MOST_FILE_BYTES + " bytes");
            }
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            // An editor ends the last line; the password does not have it.
            return text.endsWith("\r\n")
                    ? text.substring(0, text.length() - 2)
                    : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        } catch (CharacterCodingException _) {
            throw new Unresolved("needs the file " + name + ", which is not UTF-8 text");
        } catch (IOException | InvalidPathException e) {
            throw new Unresolved("needs the file " + name + ", which " + cause(e));
        }
    }

    /// Why a file could not be read, in words that do not depend on the platform.
    static String cause(Exception e) {
        return switch (e) {
            case NoSuchFileException _ -> "does not exist";
            case AccessDeniedException _ -> "may not be read by this process";
            default -> "cannot be read";
        };
    }
}
