package org.pgporter.auth.jwt;

/// A token is not accepted. The message is for the operator's log, and quotes nothing of the token.
final class TokenRefused extends Exception {
    private static final long serialVersionUID = 1L;

    TokenRefused(String reason) {
        super(reason, null, false, false);
    }

    /// Why.
    String reason() {
        return String.valueOf(getMessage());
    }
}
