package org.pgporter.auth.hba;

/// A regular expression that is none, or that uses what is not supported here.
final class RegexSyntax extends Exception {
    private static final long serialVersionUID = 1L;

    RegexSyntax(String message) {
        super(message);
    }
}
