package org.pgporter.auth.scram;

/// A SCRAM message cannot be read. Stays inside this package, where the exchanges turn it into a result.
final class MalformedScramException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedScramException(String message) {
        // Without a stack trace: whoever connects can cause it, and it should cost nothing.
        super(message, null, false, false);
    }

    String message() {
        return String.valueOf(getMessage());
    }

    static MalformedScramException because(String detail) {
        return new MalformedScramException("malformed SCRAM message: " + detail);
    }
}
