package org.pgporter.auth.scram;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// What a client of SCRAM says about the TLS connection below: its GS2 header, and what it binds itself to. The client
/// repeats both at the end, under its proof, so that nobody between the two ends can change them.
public sealed interface ScramBinding {
    /// The one type of channel binding that PostgreSQL knows, of RFC 5929.
    String TYPE = "tls-server-end-point";

    /// There is nothing to bind to: no TLS, or a certificate that names no hash.
    record None() implements ScramBinding {}

    /// It could be done, but the server has not offered it. A server that has knows that somebody changed its offer.
    record NotOffered() implements ScramBinding {}

    /// Bound to the server's certificate.
    ///
    /// @param certificateHash as RFC 5929 makes it
    record ServerEndPoint(byte[] certificateHash) implements ScramBinding {
        @Override
        public String toString() {
            return "ServerEndPoint";
        }
    }

    /// The SASL mechanism to choose.
    default String mechanism() {
        return this instanceof ServerEndPoint ? ScramServerExchange.MECHANISM_PLUS : ScramServerExchange.MECHANISM;
    }

    /// The beginning of the client's first message.
    default String gs2Header() {
        return switch (this) {
            case None _ -> "n,,";
            case NotOffered _ -> "y,,";
            case ServerEndPoint _ -> "p=" + TYPE + ",,";
        };
    }

    /// The attribute `c` of the client's final message.
    default String attribute() {
        return switch (this) {
            case None _, NotOffered _ -> attribute(gs2Header(), new byte[0]);
            case ServerEndPoint(var hash) -> attribute(gs2Header(), hash);
        };
    }

    /// The attribute `c` for a header and the data that it announces.
    static String attribute(String gs2Header, byte[] data) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(gs2Header.getBytes(StandardCharsets.ISO_8859_1));
        bytes.writeBytes(data);
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}
