package org.pgporter.auth.hba;

/// Thrown where a line is no rule; the message says why, and contains no secret.
final class BadRule extends Exception {
    private static final long serialVersionUID = 1L;

    BadRule(String reason) {
        super(reason);
    }
}
