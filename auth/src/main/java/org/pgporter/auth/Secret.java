package org.pgporter.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/// A text that must not be seen: a password, or a key written as text. It shows nothing of itself unless
/// [#reveal()] is called, so the places that need the text can be found by that name.
public final class Secret {
    private final String value;

    private Secret(String value) {
        this.value = value;
    }

    /// Wraps the text. The empty text is allowed here; whoever takes a password refuses it.
    public static Secret of(String value) {
        return new Secret(value);
    }

    /// The text itself. Do not log it and do not put it into an exception.
    public String reveal() {
        return value;
    }

    public boolean isEmpty() {
        return value.isEmpty();
    }

    /// Compares in a time that does not depend on where the texts differ.
    @Override
    public boolean equals(Object other) {
        return other instanceof Secret that
                && MessageDigest.isEqual(
                        value.getBytes(StandardCharsets.UTF_8), that.value.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return "Secret[***]";
    }
}
