package org.pgporter.cli;

/// A step of the tour saw something else than it should have. The message is for people and names what was seen.
final class DemoFailure extends Exception {
    private static final long serialVersionUID = 1L;

    DemoFailure(String message) {
        super(message);
    }

    /// Throws unless the condition holds.
    static void unless(boolean condition, String message) throws DemoFailure {
        if (!condition) {
            throw new DemoFailure(message);
        }
    }
}
