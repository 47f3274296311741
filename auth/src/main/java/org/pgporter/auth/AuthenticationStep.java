package org.pgporter.auth;

import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.pgporter.protocol.message.SqlState;

/// What an [AuthenticationExchange] wants next. All but [Challenge] and [Waits] end the exchange.
public sealed interface AuthenticationStep {
    /// Send this and wait for the client's response.
    record Challenge(ServerChallenge challenge) implements AuthenticationStep {}

    /// Nothing for the client yet: whoever was asked has not answered. Until then the client's next
    /// message may not be read.
    ///
    /// @param next completes normally in all cases
    record Waits(CompletionStage<AuthenticationStep> next) implements AuthenticationStep {}

    /// The client is who it says.
    ///
    /// @param finalData what has to go out as `AuthenticationSASLFinal` before `AuthenticationOk`
    record Authenticated(Identity identity, Optional<byte[]> finalData) implements AuthenticationStep {}

    /// The client is not who it says. It gets the same words whatever the reason.
    ///
    /// @param reasonForLog why, for the operator only
    /// @param refusal what was refused
    record Rejected(String reasonForLog, Refusal refusal) implements AuthenticationStep {
        /// A password, or what stands for one.
        public Rejected(String reasonForLog) {
            this(reasonForLog, Refusal.PASSWORD);
        }
    }

    /// What a client is refused with, which decides about the words, and whether it counts.
    enum Refusal {
        /// 28P01.
        PASSWORD,
        /// OAUTHBEARER (28000).
        BEARER_TOKEN,
        /// The same words, but the client has only asked where it gets a token, and comes back: no failure.
        DISCOVERY;

        /// Whether it is held against the client.
        public boolean counts() {
            return this != DISCOVERY;
        }
    }

    /// The client may not come in, whoever it is (28000), and the method has words of its own for that.
    ///
    /// @param message may be shown to the client; contains nothing it did not send itself
    /// @param reasonForLog why, for the operator only
    record Refused(String message, String reasonForLog) implements AuthenticationStep {}

    /// The client broke the protocol.
    ///
    /// @param message may be shown to the client; contains nothing it sent
    record Malformed(String message, SqlState sqlState) implements AuthenticationStep {
        /// 08P01.
        public Malformed(String message) {
            this(message, SqlState.PROTOCOL_VIOLATION);
        }
    }

    /// The question could not be answered; nothing is held against the client.
    record Unavailable(String cause) implements AuthenticationStep {}
}
