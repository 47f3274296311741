package org.pgporter.auth.scram;

import org.pgporter.auth.credential.ScramLimits;
import org.pgporter.auth.credential.StrictBase64;

/// The server's first message: `r=<whole nonce>,s=<salt>,i=<iterations>`.
///
/// @param text the message as it came, which is signed
record ServerFirstMessage(String text, String nonce, byte[] salt, int iterations) {
    /// More digits cannot be within [ScramLimits#MAX_ITERATIONS].
    private static final int MAX_DIGITS = 9;

    static ServerFirstMessage read(byte[] message, String clientNonce) throws MalformedScramException {
        AttributeReader reader = AttributeReader.of(message, ScramClientExchange.MAX_MESSAGE_LENGTH);
        String text = reader.rest();
        if (reader.nextIs('m')) {
            throw new MalformedScramException("the server requires an unsupported SCRAM extension");
        }
        String nonce = reader.value('r');
        if (!nonce.startsWith(clientNonce) || nonce.length() == clientNonce.length()) {
            throw MalformedScramException.because("the nonce does not continue ours");
        }
        if (nonce.length() > ScramLimits.MAX_NONCE_LENGTH || !AttributeReader.isNonce(nonce)) {
            throw MalformedScramException.because("the nonce is too long or not printable");
        }
        byte[] salt = StrictBase64.decode(reader.value('s'))
                .filter(bytes -> ScramLimits.allowsSaltLength(bytes.length))
                .orElseThrow(() -> MalformedScramException.because("malformed salt"));
        int iterations = iterations(reader.value('i'));
        while (!reader.atEnd()) {
            reader.next();
        }
        return new ServerFirstMessage(text, nonce, salt, iterations);
    }

    private static int iterations(String digits) throws MalformedScramException {
        boolean number = !digits.isEmpty()
                && digits.length() <= MAX_DIGITS
                && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        int iterations = number ? Integer.parseInt(digits) : 0;
        if (!ScramLimits.allowsIterations(iterations)) {
            throw MalformedScramException.because("iterations are not 1 to " + ScramLimits.MAX_ITERATIONS);
        }
        return iterations;
    }
}
