package org.pgporter.auth.scram;

/// The client's first message: `n,,n=<ignored user>,r=<nonce>`.
///
/// @param flag what the client says about channel binding
/// @param gs2Header the part in front, which the client has to repeat at the end
/// @param bare the part that is signed
/// @param nonce the client's half of the nonce
record ClientFirstMessage(Flag flag, String gs2Header, String bare, String nonce) {
    /// The first letter.
    enum Flag {
        /// The client cannot bind itself to the channel.
        CANNOT,
        /// It could, and believes that we cannot.
        BELIEVES_WE_CANNOT,
        /// It does.
        BINDS
    }

    static ClientFirstMessage read(byte[] message) throws MalformedScramException {
        AttributeReader reader = AttributeReader.of(message, ScramServerExchange.MAX_MESSAGE_LENGTH);
        Flag flag = switch (reader.character()) {
            case 'n' -> Flag.CANNOT;
            case 'y' -> Flag.BELIEVES_WE_CANNOT;
            case 'p' -> {
                bindingType(reader);
                yield Flag.BINDS;
            }
            default -> throw MalformedScramException.because("unexpected channel-binding flag");
        };
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
        return new ClientFirstMessage(flag, gs2Header, bare, nonce);
    }

    private static void bindingType(AttributeReader reader) throws MalformedScramException {
        reader.expect('=');
        StringBuilder type = new StringBuilder();
        while (!reader.atEnd() && !reader.nextIs(',')) {
            type.append(reader.character());
        }
        if (!type.toString().equals(ScramBinding.TYPE)) {
            throw new MalformedScramException("unsupported SCRAM channel-binding type");
        }
    }
}
