package org.pgporter.node.token;

/// A file of keys cannot be used.
public final class TokenProblem extends Exception {
    private static final long serialVersionUID = 1L;
    private final String key;

    TokenProblem(String key, String reason) {
        super(reason);
        this.key = key;
    }

    /// Where in the configuration the file is named.
    public String key() {
        return key;
    }

    public String reason() {
        return String.valueOf(getMessage());
    }
}
