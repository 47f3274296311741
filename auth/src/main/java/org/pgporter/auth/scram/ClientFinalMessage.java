package org.pgporter.auth.scram;

import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.credential.StrictBase64;

/// The client's final message: `c=<channel binding>,r=<whole nonce>,p=<proof>`.
///
/// @param withoutProof the part that is signed
/// @param proof 32 bytes
record ClientFinalMessage(String channelBinding, String nonce, String withoutProof, byte[] proof) {

    static ClientFinalMessage read(byte[] message) throws MalformedScramException {
        AttributeReader reader = AttributeReader.of(message, ScramServerExchange.MAX_MESSAGE_LENGTH);
        String channelBinding = reader.value('c');
        String nonce = reader.value('r');
        String withoutProof = withoutComma(reader.read());
        AttributeReader.Attribute attribute = reader.next();
        while (attribute.name() != 'p') {
            withoutProof = withoutComma(reader.read());
            attribute = reader.next();
        }
        if (!reader.atEnd()) {
            throw MalformedScramException.because("garbage after the proof");
        }
        byte[] proof = StrictBase64.decode(attribute.value())
                .filter(bytes -> bytes.length == ScramKeys.KEY_LENGTH)
                .orElseThrow(() -> MalformedScramException.because("malformed proof"));
        return new ClientFinalMessage(channelBinding, nonce, withoutProof, proof);
    }

    private static String withoutComma(String read) {
        return read.endsWith(",") ? read.substring(0, read.length() - 1) : read;
    }
}
