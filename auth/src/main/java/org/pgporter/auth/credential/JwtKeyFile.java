package org.pgporter.auth.credential;

/// A user that shows a token instead of a password, signed with the key of one file. In the configuration:
/// `jwt-pkey-fpath:/path/to/public.pem`.
///
/// @param path of the public key in PEM
public record JwtKeyFile(String path) implements StoredCredential {
    /// What announces it.
    public static final String PREFIX = "jwt-pkey-fpath:";

    /// @throws IllegalArgumentException if there is no path
    public JwtKeyFile {
        if (path.isBlank()) {
            throw new IllegalArgumentException("a path must follow " + PREFIX);
        }
    }

    @Override
    public String format() {
        return PREFIX + path;
    }
}
