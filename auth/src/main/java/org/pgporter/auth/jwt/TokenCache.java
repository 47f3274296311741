package org.pgporter.auth.jwt;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Which tokens have had a good signature a moment ago. Remembered is the token's digest, and for a short
/// time only; what it says is checked again at each use, and so is whether the issuer still has the key.
/// Safe for threads.
final class TokenCache {
    /// Tokens remembered; the one that was not used for longest goes first.
    static final int MOST_ENTRIES = 1024;

    /// How long, at most.
    static final Duration LONGEST = Duration.ofSeconds(60);

    /// @param key that made the signature
    record Signed(CompactToken token, VerificationKey key, Instant until) {}

    private final Map<ByteBuffer, Signed> entries = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Signed> eldest) {
            return size() > MOST_ENTRIES;
        }
    };

    synchronized Optional<Signed> find(ByteBuffer digest, Instant now) {
        Signed found = entries.get(digest);
        if (found != null && !now.isBefore(found.until())) {
            entries.remove(digest);
            return Optional.empty();
        }
        return Optional.ofNullable(found);
    }

    synchronized void keep(ByteBuffer digest, Signed entry) {
        entries.put(digest, entry);
    }

    synchronized int size() {
        return entries.size();
    }
}
