package org.pgporter.auth.oauthbearer;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pgporter.auth.Secret;
import org.pgporter.protocol.message.SqlState;

/// The client's first message (RFC 7628 section 3.1), read as strictly as PostgreSQL does
/// (`libpq/auth-oauth.c`):
///
/// ```
/// n,,^Aauth=Bearer <token>^A^A          ^A is the byte 0x01
/// ```
///
/// @param token empty: the client asks where to get one
record BearerMessage(Optional<Secret> token) {
    /// What separates the fields.
    static final char SEPARATOR = 0x01;

    /// RFC 6750 section 2.1: `b64token`, after a scheme in any case and at least one blank.
    private static final Pattern BEARER = Pattern.compile("(?i:Bearer) +([A-Za-z0-9\\-._~+/]+=*)");

    /// The message cannot be read.
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient SqlState sqlState;

        Malformed(String message, SqlState sqlState) {
            super(message, null, false, false);
            this.sqlState = sqlState;
        }

        SqlState sqlState() {
            return sqlState;
        }

        String words() {
            return String.valueOf(getMessage());
        }
    }

    static BearerMessage parse(byte[] bytes) throws Malformed {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = header(text);
        Optional<String> auth = Optional.empty();
        while (true) {
            int end = text.indexOf(SEPARATOR, at);
            if (end < 0) {
                throw malformed();
            }
            if (end == at) {
                at = end + 1;
                break;
            }
            String pair = text.substring(at, end);
            int equals = pair.indexOf('=');
            if (equals < 1 || !isName(pair.substring(0, equals)) || !isValue(pair.substring(equals + 1))) {
                throw malformed();
            }
            if (pair.startsWith("auth=")) {
                if (auth.isPresent()) {
                    throw malformed();
                }
                auth = Optional.of(pair.substring(equals + 1));
            }
            at = end + 1;
        }
        if (at != text.length() || auth.isEmpty()) {
            throw malformed();
        }
        if (auth.get().isEmpty()) {
            return new BearerMessage(Optional.empty());
        }
        Matcher bearer = BEARER.matcher(auth.get());
        // Not malformed, but not a token either: PostgreSQL answers this as a token that is wrong.
        return bearer.matches()
                ? new BearerMessage(Optional.of(Secret.of(bearer.group(1))))
                : new BearerMessage(Optional.of(Secret.of("")));
    }

    /// The GS2 header (RFC 5801): no channel binding, nobody else's name.
    ///
    /// @return where what follows begins
    private static int header(String text) throws Malformed {
        if (text.isEmpty() || text.indexOf('\0') >= 0 || "ny".indexOf(text.charAt(0)) < 0 || !text.startsWith(",", 1)) {
            throw malformed();
        }
        if (text.startsWith("a=", 2)) {
            throw new Malformed(
                    "client uses authorization identity, but it is not supported", SqlState.FEATURE_NOT_SUPPORTED);
        }
        if (!text.startsWith("," + SEPARATOR, 2)) {
            throw malformed();
        }
        return 4;
    }

    private static boolean isName(String name) {
        return name.chars().allMatch(c -> c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z');
    }

    private static boolean isValue(String value) {
        return value.chars().allMatch(c -> c >= 0x21 && c <= 0x7e || c == ' ' || c == '\t' || c == '\r' || c == '\n');
    }

    private static Malformed malformed() {
        return new Malformed("malformed OAUTHBEARER message", SqlState.PROTOCOL_VIOLATION);
    }
}
