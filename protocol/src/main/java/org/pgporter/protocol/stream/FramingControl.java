package org.pgporter.protocol.stream;

/// What the owner of a [ClientFraming] stage can tell it while it runs.
public interface FramingControl {

    /// The client is in: bytes that have not been decoded yet are read by `DecodePolicy.FRONTEND` from now on. May
    /// be called from any thread, more than once, and takes effect at the next decode.
    ///
    /// Before it, each frame arrives in a batch of its own and is bounded by `Limits.MAX_AUTHENTICATION_MESSAGE`.
    /// Nothing is lost either way: a frame that was already emitted was emitted whole and marked. A client that
    /// sends a longer message before it is told that it is in is refused, unless the owner withholds demand until
    /// it has called this.
    void loggedIn();
}
