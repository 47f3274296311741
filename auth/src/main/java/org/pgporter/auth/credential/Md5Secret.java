package org.pgporter.auth.credential;

import org.pgporter.auth.Md5Hash;

/// A stored MD5 password: `md5` and the 32 hexadecimal digits of MD5(password, user name).
public record Md5Secret(Md5Hash hash) implements HashedCredential {
    static final String PREFIX = "md5";

    /// @throws IllegalArgumentException if the text is not `md5` and 32 lowercase hexadecimal digits
    public static Md5Secret parse(String text) {
        if (!text.startsWith(PREFIX)) {
            throw new IllegalArgumentException("an MD5 password begins with md5");
        }
        try {
            return new Md5Secret(new Md5Hash(text.substring(PREFIX.length())));
        } catch (IllegalArgumentException _) {
            throw new IllegalArgumentException(
                    "malformed MD5 password: expected md5 and 32 lowercase hexadecimal digits"
                            + " (a plain password cannot begin with md5)");
        }
    }

    @Override
    public String format() {
        return PREFIX + hash.hex();
    }
}
