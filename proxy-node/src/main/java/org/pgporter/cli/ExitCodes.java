package org.pgporter.cli;

/// What the process answers to its caller. The launcher adds 3: no Java, no Maven, or the build failed.
final class ExitCodes {
    static final int OK = 0;

    /// The configuration has problems, the node did not start, or the tour failed.
    static final int FAILED = 1;

    /// The command line was wrong.
    static final int USAGE = 2;

    /// The client that was asked about does not come in. (3 is the launcher's.)
    static final int REFUSED = 4;

    private ExitCodes() {}
}
