package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.concurrent.FastThreadLocal;
import java.nio.charset.StandardCharsets;
import org.pgporter.node.sql.StatementEffects;
import org.pgporter.protocol.codec.Batch;

/// Reads what stands at the beginning of a message's body, and makes no object for it: it is used for each query.
/// Mutable, and reused from message to message.
final class BodyCursor {
    /// Texts up to this length are copied to memory that a thread keeps.
    private static final int SHORT_TEXT = 8 * 1024;

    private static final FastThreadLocal<byte[]> SCRATCH = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[SHORT_TEXT];
        }
    };

    private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
    private int at;
    private int end;
    /// Most clients name the same statement again and again.
    private String lastName = "";

    /// To the body of a marked frame, as far as it is there.
    void moveTo(Batch batch, int mark) {
        bytes = batch.bytes();
        at = batch.bodyStart(mark);
        end = batch.end(mark);
    }

    /// Lets the batch go, so that a session that is idle keeps nothing of its last query.
    void leave() {
        bytes = Unpooled.EMPTY_BUFFER;
        at = 0;
        end = 0;
    }

    int readByte() {
        if (at >= end) {
            throw new EndsTooSoon();
        }
        return bytes.getByte(at++);
    }

    /// A name; each of its bytes is one character.
    String readName() {
        int zero = zero();
        int length = zero - at;
        if (!isLastName(length)) {
            lastName = length == 0 ? "" : bytes.toString(at, length, StandardCharsets.ISO_8859_1);
        }
        at = zero + 1;
        return lastName;
    }

    private boolean isLastName(int length) {
        if (lastName.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (lastName.charAt(i) != (bytes.getByte(at + i) & 0xff)) {
                return false;
            }
        }
        return true;
    }

    void skipText() {
        at = zero() + 1;
    }

    private int zero() {
        int zero = at < end ? bytes.indexOf(at, end, (byte) 0) : -1;
        if (zero < 0) {
            throw new EndsTooSoon();
        }
        return zero;
    }

    /// What is left of the body, as a copy.
    byte[] rest() {
        byte[] rest = new byte[end - at];
        bytes.getBytes(at, rest);
        return rest;
    }

    /// What is left of the body, as a view.
    ByteBuf view() {
        return bytes.slice(at, end - at).asReadOnly();
    }

    /// What the statement text does that stands here.
    StatementEffects effects() {
        int zero = at < end ? bytes.indexOf(at, end, (byte) 0) : -1;
        int length = (zero < 0 ? end : zero) - at;
        byte[] text = length <= SHORT_TEXT ? SCRATCH.get() : new byte[length];
        bytes.getBytes(at, text, 0, length);
        return StatementEffects.of(text, 0, length);
    }

    /// A message is too short for what it should begin with.
    @SuppressWarnings("serial")
    static final class EndsTooSoon extends RuntimeException {
        EndsTooSoon() {
            super(null, null, false, false); // no stack trace: garbage from outside must cost little
        }
    }
}
