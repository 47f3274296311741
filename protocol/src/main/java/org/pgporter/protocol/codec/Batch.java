package org.pgporter.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.List;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.WireMessage;

/// Neighbouring frames as one run of bytes, with marks for those that the [DecodePolicy] asks for. Everything
/// between marks is opaque.
///
/// Whoever holds a batch owns its buffer: the last holder calls [#release] once, or gives [#bytes] to something
/// that releases it, such as a write. Nothing changes after construction, so a batch may be handed to another
/// thread.
///
/// Offsets are absolute indexes into [#bytes], whose reader index is 0 when the batch is made.
public final class Batch {

    private static final int WIDTH = 4;
    private static final int TYPE = 0;
    private static final int START = 1;
    private static final int END = 2;
    private static final int DECLARED = 3;

    private final ByteBuf bytes;
    private final int length;
    private final int[] marks;
    private final boolean startsInsideFrame;
    private final boolean endsInsideFrame;

    private Batch(ByteBuf bytes, int[] marks, boolean startsInsideFrame, boolean endsInsideFrame) {
        this.bytes = bytes;
        this.length = bytes.writerIndex();
        this.marks = marks;
        this.startsInsideFrame = startsInsideFrame;
        this.endsInsideFrame = endsInsideFrame;
    }

    /// A batch of these messages as a decoder would mark them: by [DecodePolicy#FRONTEND] if the first is a
    /// [FrontendMessage], else by [DecodePolicy#BACKEND]. For messages of both families, or of a login, name the
    /// policy.
    public static Batch of(WireMessage... messages) {
        boolean frontend = messages.length > 0 && messages[0] instanceof FrontendMessage;
        return of(frontend ? DecodePolicy.FRONTEND : DecodePolicy.BACKEND, messages);
    }

    /// A batch of these messages, marked by this policy. At least one message; exactly one for
    /// [DecodePolicy#LOGIN].
    public static Batch of(DecodePolicy policy, WireMessage... messages) {
        ByteBuf encoded = Unpooled.buffer();
        List.of(messages).forEach(message -> message.encodeTo(encoded));
        var decoder = new FrameDecoder(policy);
        try {
            decoder.feed(encoded);
            Batch batch =
                    decoder.next().orElseThrow(() -> new IllegalArgumentException("a batch has at least one message"));
            if (decoder.hasBytes()) {
                batch.release();
                throw new IllegalArgumentException("this policy makes more than one batch of these messages");
            }
            return batch;
        } finally {
            decoder.close();
        }
    }

    /// The bytes of all frames. Not retained for the caller.
    public ByteBuf bytes() {
        return bytes;
    }

    /// Number of bytes when the batch was made.
    public int length() {
        return length;
    }

    /// Gives the buffer back. Once.
    public void release() {
        bytes.release();
    }

    /// Number of marked frames.
    public int marks() {
        return marks.length / WIDTH;
    }

    /// Type byte of a marked frame.
    public byte type(int mark) {
        return (byte) marks[mark * WIDTH + TYPE];
    }

    /// Where the frame begins in this batch: the index of its type byte; -1 if it began in an earlier batch.
    public int start(int mark) {
        return marks[mark * WIDTH + START];
    }

    /// Where the part of the frame in this batch ends, exclusive.
    public int end(int mark) {
        return marks[mark * WIDTH + END];
    }

    /// Length of the whole frame in bytes as its header declares it, type byte included.
    public int declaredLength(int mark) {
        return marks[mark * WIDTH + DECLARED];
    }

    /// True if all bytes of the frame are in this batch, from the type byte to the last.
    public boolean complete(int mark) {
        return start(mark) >= 0 && end(mark) - start(mark) == declaredLength(mark);
    }

    /// Where what this batch has of the frame's body begins.
    public int bodyStart(int mark) {
        return start(mark) < 0 ? 0 : start(mark) + FrameDecoder.HEADER;
    }

    /// A read-only view of what this batch has of the frame's body. Not retained; do not release it.
    public ByteBuf body(int mark) {
        int from = bodyStart(mark);
        return bytes.slice(from, end(mark) - from).asReadOnly();
    }

    /// True if the first bytes belong to a frame that began in an earlier batch.
    public boolean startsInsideFrame() {
        return startsInsideFrame;
    }

    /// True if the last frame goes on in the next batch.
    public boolean endsInsideFrame() {
        return endsInsideFrame;
    }

    /// This batch in two: what stands before a marked frame, and the rest from there on. Both share the bytes, and
    /// each is released on its own; this batch must not be used any more.
    ///
    /// @param mark of a frame that begins in this batch
    public Parts splitAt(int mark) {
        int at = start(mark);
        ByteBuf before = bytes.retainedSlice(0, at);
        ByteBuf after = bytes.slice(at, bytes.writerIndex() - at);
        int[] moved = Arrays.copyOfRange(marks, mark * WIDTH, marks.length);
        for (int i = 0; i < moved.length; i += WIDTH) {
            moved[i + START] -= at;
            moved[i + END] -= at;
        }
        return new Parts(
                new Batch(before, Arrays.copyOf(marks, mark * WIDTH), startsInsideFrame, false),
                new Batch(after, moved, false, endsInsideFrame));
    }

    /// The parts of a batch, in their order.
    public record Parts(Batch before, Batch rest) {}

    /// True if a frame of this type is marked.
    public boolean contains(byte type) {
        for (int i = TYPE; i < marks.length; i += WIDTH) {
            if (marks[i] == type) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        var text = new StringBuilder("Batch[").append(length).append(" bytes");
        for (int i = 0; i < marks(); i++) {
            text.append(' ').append((char) (type(i) & 0xff));
        }
        return text.append(']').toString();
    }

    /// Collects marks while a decoder scans.
    static final class Marks {
        private static final int[] NONE = {};

        private int[] values = new int[4 * WIDTH];
        private int size;

        void clear() {
            size = 0;
        }

        void add(byte type, int start, int end, int declared) {
            if (size == values.length) {
                values = Arrays.copyOf(values, size * 2);
            }
            values[size + TYPE] = type;
            values[size + START] = start;
            values[size + END] = end;
            values[size + DECLARED] = declared;
            size += WIDTH;
        }

        Batch batch(ByteBuf bytes, boolean startsInsideFrame, boolean endsInsideFrame) {
            int[] marks = size == 0 ? NONE : Arrays.copyOf(values, size);
            return new Batch(bytes, marks, startsInsideFrame, endsInsideFrame);
        }
    }
}
