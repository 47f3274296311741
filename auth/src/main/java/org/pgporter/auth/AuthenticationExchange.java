package org.pgporter.auth;

/// One authentication of one client, in the words of one mechanism. Used once, by one thread at a time.
///
/// ```
///   start() ──► Challenge ──► onResponse() ──► Challenge ──► … ──► Authenticated | Rejected | Malformed | Unavailable
/// ```
///
/// What the client sends never makes it throw. What the caller does wrong does: `start()` twice, a response
/// before the start or after the end are an [IllegalStateException].
public interface AuthenticationExchange {
    /// The first step; in most mechanisms a challenge.
    AuthenticationStep start();

    /// The step that follows from the client's answer to the last challenge.
    AuthenticationStep onResponse(ClientResponse response);

    /// How long the body of the client's next message `p` may be, in bytes, without the length field. Whoever
    /// reads it from the wire can refuse a longer one before reading it.
    int maxResponseLength();
}
