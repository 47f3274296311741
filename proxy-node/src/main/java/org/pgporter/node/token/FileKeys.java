package org.pgporter.node.token;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.jwt.KeySet;
import org.pgporter.auth.jwt.PublicKeys;
import org.pgporter.auth.jwt.TokenAlgorithm;
import org.pgporter.auth.jwt.TokenKeys;
import org.pgporter.auth.jwt.VerificationKey;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keys in PEM files, which can be read again. To take a file away is to take its keys away; a file that
/// cannot be read leaves them. For many threads.
final class FileKeys implements TokenKeys {
    private static final Logger LOG = LoggerFactory.getLogger(FileKeys.class);

    /// A public key has less than 4 kB; what is larger is the wrong file.
    private static final int MOST_BYTES = 65_536;

    private final String configKey;
    private final boolean named;
    private final List<Path> files;
    private volatile Map<Path, List<VerificationKey>> keys;
    private volatile KeySet all;

    /// Reads the files.
    ///
    /// @param configKey where they are named
    /// @param named whether a key is named by its file, or by nothing
    FileKeys(String configKey, List<Path> files, boolean named) throws TokenProblem {
        this.configKey = configKey;
        this.named = named;
        this.files = List.copyOf(files);
        Map<Path, List<VerificationKey>> read = new LinkedHashMap<>();
        for (Path file : files) {
            read.put(file, read(file).orElseThrow(() -> new TokenProblem(configKey, file + " does not exist")));
        }
        this.keys = read;
        this.all = set(read);
    }

    /// Reads the files again.
    ///
    /// @return what cannot be used
    synchronized List<TokenProblem> reload() {
        List<TokenProblem> problems = new ArrayList<>();
        Map<Path, List<VerificationKey>> read = new LinkedHashMap<>();
        for (Path file : files) {
            try {
                Optional<List<VerificationKey>> found = read(file);
                if (found.isEmpty()) {
                    problems.add(new TokenProblem(configKey, file + " is gone, and its key with it"));
                }
                found.ifPresent(its -> read.put(file, its));
            } catch (TokenProblem problem) {
                problems.add(problem);
                Optional.ofNullable(keys.get(file)).ifPresent(old -> read.put(file, old));
            }
        }
        keys = read;
        all = set(read);
        problems.forEach(problem -> LOG.atWarn()
                .addKeyValue(LogKeys.KEY, problem.key())
                .addKeyValue(LogKeys.REASON, problem.reason())
                .log("keys for tokens cannot be read again"));
        return problems;
    }

    private Optional<List<VerificationKey>> read(Path file) throws TokenProblem {
        String text;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new TokenProblem(configKey, file + " has more than " + MOST_BYTES + " bytes");
            }
            text = new String(bytes, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (AccessDeniedException _) {
            throw new TokenProblem(configKey, file + " may not be read by this process");
        } catch (IOException _) {
            throw new TokenProblem(configKey, file + " cannot be read");
        }
        try {
            List<VerificationKey> found = PublicKeys.fromPem(text);
            if (!named) {
                return Optional.of(found);
            }
            String name = org.pgporter.config.TalosConfig.keyId(file);
            return Optional.of(found.stream().map(key -> key.named(name)).toList());
        } catch (IllegalArgumentException e) {
            throw new TokenProblem(configKey, file + " " + e.getMessage());
        }
    }

    private static KeySet set(Map<Path, List<VerificationKey>> read) {
        return new KeySet(read.values().stream().flatMap(List::stream).toList());
    }

    @Override
    public CompletionStage<Answer> find(Optional<String> keyId, TokenAlgorithm algorithm) {
        return CompletableFuture.completedStage(TokenKeys.answer(all, keyId, algorithm));
    }
}
