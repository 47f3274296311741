package org.pgporter.protocol.message;

/// What Describe and Close speak about.
public enum Target {
    STATEMENT('S'),
    PORTAL('P');

    private final byte code;

    Target(char code) {
        this.code = (byte) code;
    }

    /// The byte on the wire.
    public byte code() {
        return code;
    }

    /// Target of this byte; anything else is a [ProtocolViolation].
    public static Target of(byte code) {
        return switch (code) {
            case 'S' -> STATEMENT;
            case 'P' -> PORTAL;
            default ->
                throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid message subtype " + (code & 0xff));
        };
    }
}
