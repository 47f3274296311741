package org.pgporter.auth.credential;

import java.util.Base64;
import java.util.Optional;

/// Base64 as SCRAM wants it: padded, on one line, nothing around it. The JDK's decoder also takes unpadded
/// text.
public final class StrictBase64 {
    private StrictBase64() {}

    /// The bytes, or empty if the text is not padded Base64.
    public static Optional<byte[]> decode(String text) {
        if (text.length() % 4 != 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(Base64.getDecoder().decode(text));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }
}
