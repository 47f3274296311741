package org.pgporter.protocol.codec;

import java.util.Arrays;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SqlState;

/// What becomes of a frame, by its type byte. Immutable. A type that has no treatment is a violation.
///
/// | treatment | passes | mark |
/// |---|---|---|
/// | opaque | in pieces as it arrives | none |
/// | whole | when complete | yes |
/// | head | when complete, or in pieces once so much of it is there | at its first piece |
/// | end | in pieces as it arrives | when its last byte has passed |
public final class DecodePolicy {

    /// A client that is logged in. `p` belongs to logging in and is refused.
    public static final DecodePolicy FRONTEND = builder("frontend")
            .head("QBF", Limits.HELD_MESSAGE, Limits.LARGE_MESSAGE)
            .head("P", Limits.HELD_PARSE, Limits.LARGE_MESSAGE)
            .whole("DCEHScfX", Limits.SMALL_MESSAGE)
            .opaque("d", Limits.LARGE_MESSAGE)
            .build();

    /// A client that is not logged in yet: every type is held as a whole, and batches have one frame each.
    public static final DecodePolicy LOGIN = builder("frontend")
            .everyTypeWhole(Limits.MAX_AUTHENTICATION_MESSAGE)
            .build();

    /// A server, from its first byte.
    public static final DecodePolicy BACKEND = builder("backend")
            .whole("ZK123nsICcGHW", Limits.SMALL_BACKEND_MESSAGE)
            .whole("SRvA", Limits.MEDIUM_BACKEND_MESSAGE)
            .head("E", Limits.HELD_MESSAGE, Limits.ANY_MESSAGE)
            .head("Tt", Limits.HELD_DESCRIPTION, Limits.ANY_MESSAGE)
            .opaque("DdVN", Limits.ANY_MESSAGE)
            .build();

    static final byte REFUSED = 0;
    static final byte OPAQUE = 1;
    static final byte WHOLE = 2;
    static final byte HEAD = 3;
    static final byte END = 4;

    private final String side;
    private final boolean oneFramePerBatch;
    private final byte[] treatment;
    private final int[] limit;
    private final int[] held;

    private DecodePolicy(Builder builder) {
        side = builder.side;
        oneFramePerBatch = builder.oneFramePerBatch;
        treatment = builder.treatment.clone();
        limit = builder.limit.clone();
        held = builder.held.clone();
    }

    /// A policy of one's own; `side` ("frontend" or "backend") is who sends, for messages of violations.
    public static Builder builder(String side) {
        return new Builder(side);
    }

    boolean oneFramePerBatch() {
        return oneFramePerBatch;
    }

    byte treatment(byte type) {
        return treatment[type & 0xff];
    }

    /// Refuses a type that does not exist.
    void checkType(byte type) {
        if (treatment(type) == REFUSED) {
            throw new ProtocolViolation(
                    SqlState.PROTOCOL_VIOLATION, "invalid " + side + " message type " + (type & 0xff));
        }
    }

    /// Refuses a length word that is too small to be one or larger than its type may have.
    void checkLength(byte type, int length) {
        if (!allows(type, length)) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid message length");
        }
    }

    /// True if a frame of this type may have this length word.
    boolean allows(byte type, int length) {
        return length >= 4 && length <= limit[type & 0xff];
    }

    /// How many bytes of a frame must be there before any of it passes. Its length word must be one that [#allows]
    /// lets through.
    int needed(byte type, int frameLength) {
        return switch (treatment(type)) {
            case WHOLE -> frameLength;
            case HEAD -> Math.min(frameLength, held[type & 0xff]);
            default -> FrameDecoder.HEADER;
        };
    }

    /// Collects treatments. Types are given as the characters of a string; limits are of the length word.
    public static final class Builder {
        private final String side;
        private final byte[] treatment = new byte[256];
        private final int[] limit = new int[256];
        private final int[] held = new int[256];
        private boolean oneFramePerBatch;

        private Builder(String side) {
            this.side = side;
        }

        /// Passes in pieces, without a mark.
        public Builder opaque(String types, int limit) {
            return treat(types, OPAQUE, limit, 0);
        }

        /// Passes when complete, marked.
        public Builder whole(String types, int limit) {
            return treat(types, WHOLE, limit, 0);
        }

        /// Passes when complete or when `held` bytes of the frame are there; marked at its first piece.
        public Builder head(String types, int held, int limit) {
            return treat(types, HEAD, limit, Math.max(held, FrameDecoder.HEADER));
        }

        /// Passes in pieces, marked when its last byte has passed.
        public Builder end(String types, int limit) {
            return treat(types, END, limit, 0);
        }

        /// Every type byte there can be is held as a whole, and each frame becomes a batch of its own.
        public Builder everyTypeWhole(int limit) {
            Arrays.fill(treatment, WHOLE);
            Arrays.fill(this.limit, limit);
            oneFramePerBatch = true;
            return this;
        }

        public DecodePolicy build() {
            return new DecodePolicy(this);
        }

        private Builder treat(String types, byte kind, int limit, int held) {
            if (limit < 4 || limit > Limits.ANY_MESSAGE) {
                throw new IllegalArgumentException("limit must be 4 to " + Limits.ANY_MESSAGE + ", was " + limit);
            }
            for (char type : types.toCharArray()) {
                treatment[type] = kind;
                this.limit[type] = limit;
                this.held[type] = held;
            }
            return this;
        }
    }
}
