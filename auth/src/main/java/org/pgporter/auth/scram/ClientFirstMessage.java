package org.pgporter.auth.scram;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// The client's first message: `n,,n=<ignored user>,r=<nonce>`.
///
/// @param gs2Header the part in front, which the client has to repeat at the end
/// @param bare the part that is signed
/// @param nonce the client's half of the nonce
record ClientFirstMessage(String gs2Header, String bare, String nonce) {

    static ClientFirstMessage read(byte[] message) throws MalformedScramException {
        AttributeReader reader = AttributeReader.of(message, ScramServerExchange.MAX_MESSAGE_LENGTH);
        switch (reader.character()) {
            // "y" says that the client could bind to the channel and believes that we cannot, which is true.
            case 'n', 'y' -> {}
            case 'p' ->
                throw new MalformedScramException("client requires SCRAM channel binding, but it is not supported");
            default -> throw MalformedScramException.because("unexpected channel-binding flag");
        }
        reader.expect(',');
        if (reader.nextIs('a')) {
            throw new MalformedScramException("client uses authorization identity, but it is not supported");
        }
        reader.expect(',');
        String gs2Header = reader.read();
        String bare = reader.rest();
        if (reader.nextIs('m')) {
            throw new MalformedScramException("client requires an unsupported SCRAM extension");
        }
        // PostgreSQL takes the user from the startup packet and ignores this one; libpq leaves it empty.
        reader.value('n');
        String nonce = reader.value('r');
        if (!AttributeReader.isNonce(nonce)) {
            throw MalformedScramException.because("non-printable characters in the nonce");
        }
        while (!reader.atEnd()) {
            reader.next();
        }
        return new ClientFirstMessage(gs2Header, bare, nonce);
    }

    /// What the attribute `c` of the client's final message must be.
    String expectedChannelBinding() {
        return Base64.getEncoder().encodeToString(gs2Header.getBytes(StandardCharsets.ISO_8859_1));
    }
}
