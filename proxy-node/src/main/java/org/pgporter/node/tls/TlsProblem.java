package org.pgporter.node.tls;

/// TLS cannot be as the configuration says. The message is one line and says why.
@SuppressWarnings("serial")
public final class TlsProblem extends Exception {
    private final String key;

    /// @param key the configuration's key that is to blame, such as `tls_certificate`
    TlsProblem(String key, String message) {
        super(message);
        this.key = key;
    }

    public String key() {
        return key;
    }

    /// The reason alone, without a class's name.
    public String reason() {
        return String.valueOf(getMessage());
    }
}
