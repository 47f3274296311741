package org.pgporter.protocol.message;

/// What a ReadyForQuery says about the transaction.
public enum TransactionStatus {
    IDLE('I'),
    IN_TRANSACTION('T'),
    FAILED('E');

    private final byte code;

    TransactionStatus(char code) {
        this.code = (byte) code;
    }

    /// The byte on the wire.
    public byte code() {
        return code;
    }

    /// Status of this byte; anything else is a [ProtocolViolation].
    public static TransactionStatus of(byte code) {
        return switch (code) {
            case 'I' -> IDLE;
            case 'T' -> IN_TRANSACTION;
            case 'E' -> FAILED;
            default ->
                throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid transaction status " + (code & 0xff));
        };
    }
}
