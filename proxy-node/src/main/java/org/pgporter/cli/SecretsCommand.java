package org.pgporter.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Optional;
import org.pgporter.auth.Secret;
import org.pgporter.config.ProxyConfigLoader;
import org.pgporter.config.SecretsFile;
import org.pgporter.config.SecretsSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `secrets`: edits the encrypted file that `${secret:NAME}` leads to. Values come from standard input and are never
/// shown. Files are written anew beside the old ones, with mode 0600, and then take their place.
@Command(
        name = "secrets",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Edits the encrypted file of secrets.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Done.",
            "1:The file or its key cannot be used; the reason has been printed.",
            "2:The command line is wrong."
        })
final class SecretsCommand implements Runnable {
    private static final SecureRandom RANDOM = new SecureRandom();

    @Spec
    private CommandSpec spec;

    /// Where file and key are.
    static final class Place {
        @Option(
                names = {"-c", "--config"},
                paramLabel = "FILE",
                description = "The configuration file, whose secrets_file and secrets_key_file are taken.")
        private Optional<Path> config = Optional.empty();

        @Option(
                names = "--secrets-file",
                paramLabel = "FILE",
                description = "The encrypted file, without a configuration.")
        private Optional<Path> file = Optional.empty();

        @Option(
                names = "--key-file",
                paramLabel = "FILE",
                description = "The file with its key; without it the environment variable PGPORTER_SECRETS_KEY.")
        private Optional<Path> keyFile = Optional.empty();

        SecretsSource source(CommandSpec spec) throws SecretsFile.Unreadable {
            if (config.isPresent() == file.isPresent()) {
                throw new ParameterException(spec.commandLine(), "Name one of --config and --secrets-file");
            }
            if (file.isPresent()) {
                return new SecretsSource(file.get(), keyFile);
            }
            try {
                SecretsSource configured = ProxyConfigLoader.secrets(config.get())
                        .orElseThrow(() -> new ParameterException(
                                spec.commandLine(), config.get() + " has no general.secrets_file"));
                return keyFile.isPresent() ? new SecretsSource(configured.file(), keyFile) : configured;
            } catch (IOException e) {
                throw new ParameterException(spec.commandLine(), config.get() + " cannot be read: " + reason(e));
            }
        }
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "Missing command: one of set, get-names, remove, rekey, new-key");
    }

    @Command(
            name = "set",
            description = "Sets the secret NAME to what standard input has, without a newline at its end.")
    int set(@Mixin Place place, @Parameters(paramLabel = "NAME") String name) {
        if (!SecretsFile.isName(name)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "A name has letters, digits, `_`, `.` and `-`, and does not begin with the last two");
        }
        return run(() -> {
            SecretsSource source = place.source(spec);
            SecretsFile secrets = Files.exists(source.file()) ? open(source) : SecretsFile.empty();
            write(source.file(), secrets.with(name, value(System.in)).seal(key(source), RANDOM));
        });
    }

    @Command(name = "get-names", description = "Prints the names of all secrets, and no value.")
    int names(@Mixin Place place) {
        return run(() -> {
            var out = spec.commandLine().getOut();
            open(place.source(spec)).names().forEach(out::println);
            out.flush();
        });
    }

    @Command(name = "remove", description = "Removes the secret NAME.")
    int remove(@Mixin Place place, @Parameters(paramLabel = "NAME") String name) {
        return run(() -> {
            SecretsSource source = place.source(spec);
            SecretsFile secrets = open(source);
            if (secrets.get(name).isEmpty()) {
                throw new Failure("there is no secret " + name);
            }
            write(source.file(), secrets.without(name).seal(key(source), RANDOM));
        });
    }

    @Command(name = "rekey", description = "Encrypts the file with another key.")
    int rekey(
            @Mixin Place place,
            @Option(
                            names = "--new-key-file",
                            required = true,
                            paramLabel = "FILE",
                            description = "The file with the new key.")
                    Path newKeyFile) {
        return run(() -> {
            SecretsSource source = place.source(spec);
            write(source.file(), open(source).seal(SecretsSource.key(newKeyFile), RANDOM));
        });
    }

    @Command(name = "new-key", description = "Writes a new key to FILE, which must not be there yet.")
    int newKey(@Parameters(paramLabel = "FILE") Path file) {
        return run(() -> {
            try {
                Files.createFile(
                        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                Files.writeString(file, SecretsFile.newKey(RANDOM) + "\n");
            } catch (IOException e) {
                throw new Failure(file + " cannot be written: " + reason(e));
            }
        });
    }

    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        Failure(String message) {
            super(message);
        }
    }

    @FunctionalInterface
    private interface Action {
        void run() throws SecretsFile.Unreadable, Failure;
    }

    private int run(Action action) {
        try {
            action.run();
            return ExitCodes.OK;
        } catch (SecretsFile.Unreadable | Failure e) {
            var err = spec.commandLine().getErr();
            err.println("pgporter: " + e.getMessage());
            err.flush();
            return ExitCodes.FAILED;
        }
    }

    private static SecretsFile open(SecretsSource source) throws SecretsFile.Unreadable {
        return source.open(name -> Optional.ofNullable(System.getenv(name)));
    }

    private static byte[] key(SecretsSource source) throws SecretsFile.Unreadable {
        return source.key(name -> Optional.ofNullable(System.getenv(name)));
    }

    private static Secret value(InputStream in) throws Failure {
        try {
            byte[] bytes = in.readNBytes(SecretsFile.MOST_VALUE_BYTES + 3);
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            String value = text.endsWith("\r\n")
                    ? text.substring(0, text.length() - 2)
                    : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
            if (value.isEmpty() || value.getBytes(StandardCharsets.UTF_8).length > SecretsFile.MOST_VALUE_BYTES) {
                throw new Failure("standard input must have 1 to " + SecretsFile.MOST_VALUE_BYTES + " bytes");
            }
            return Secret.of(value);
        } catch (CharacterCodingException _) {
            throw new Failure("standard input is not UTF-8 text");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Never half a file, and never one that others can read.
    private static void write(Path file, byte[] content) throws Failure {
        Path absolute = file.toAbsolutePath();
        Path beside = absolute.resolveSibling("." + absolute.getFileName() + ".new");
        try {
            Files.deleteIfExists(beside);
            Files.createFile(
                    beside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.write(beside, content, StandardOpenOption.SYNC);
            Files.move(beside, absolute, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new Failure(file + " cannot be written: " + reason(e));
        }
    }

    private static String reason(IOException e) {
        return e instanceof FileSystemException problem && problem.getReason() != null
                ? problem.getReason()
                : e.getClass().getSimpleName();
    }
}
