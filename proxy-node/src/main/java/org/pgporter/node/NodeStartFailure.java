package org.pgporter.node;

/// The node could not be started. The message is for the operator and names what to change.
@SuppressWarnings("serial")
public final class NodeStartFailure extends RuntimeException {
    public NodeStartFailure(String message, Throwable cause) {
        super(message, cause);
    }

    /// The message; never missing.
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
