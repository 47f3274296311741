package org.pgporter.protocol.codec;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.message.ProtocolViolation;

/// Cuts what arrives on a connection into [Batch]es by a [DecodePolicy]. Pure, for one thread at a time.
///
/// Feed a chunk, then take batches until there are none. Bytes pass as slices of the chunk they came in. Only an
/// unfinished frame that is to be held, or an unfinished header, is copied: into a small buffer of its own, so that
/// a few waiting bytes never keep a large read buffer alive. Each byte is copied a bounded number of times however
/// small the chunks are, and nothing is ever allocated because a header declares it.
///
/// After a [ProtocolViolation] nothing more can be read: [#next] keeps throwing it, and what is fed is released.
public final class FrameDecoder implements AutoCloseable {

    /// Type byte and length word.
    static final int HEADER = 5;

    /// Smallest buffer for an unfinished frame.
    private static final int SMALLEST_CARRY = 64;

    private final ArrayDeque<ByteBuf> chunks = new ArrayDeque<>(1);
    private final Batch.Marks marks = new Batch.Marks();
    private DecodePolicy policy;

    /// The unfinished frame that is held; null if there is none. Chunks that follow it are still unread.
    private @Nullable ByteBuf carry;

    /// Bytes still to come of the frame that passes in pieces, its type, declared length, and whether it is marked
    /// at its end.
    private int remaining;

    private byte passingType;
    private int passingLength;
    private boolean markAtEnd;

    /// What ended it; null while all is well.
    private @Nullable ProtocolViolation broken;

    public FrameDecoder(DecodePolicy policy) {
        this.policy = policy;
    }

    /// Takes the next bytes, and the ownership of them.
    public void feed(ByteBuf chunk) {
        if (chunk.isReadable() && broken == null) {
            chunks.addLast(chunk);
        } else {
            chunk.release();
        }
    }

    /// The next batch, which the caller then owns; empty if more bytes are needed. A violation is thrown after all
    /// that stood before it has been taken.
    public Optional<Batch> next() {
        if (broken != null) {
            throw broken;
        }
        while (true) {
            if (carry != null && !completeCarry(carry)) {
                return Optional.empty();
            }
            ByteBuf chunk = chunks.pollFirst();
            if (chunk == null) {
                return Optional.empty();
            }
            Batch batch = scan(chunk);
            if (batch != null) {
                return Optional.of(batch);
            }
        }
    }

    /// Bytes that have not been decoded yet, held ones included, are treated by this policy from now on.
    public void policy(DecodePolicy policy) {
        this.policy = policy;
    }

    /// True if the last byte taken, or held, is not the last of its frame.
    public boolean insideFrame() {
        return remaining > 0 || carry != null;
    }

    /// True if bytes have been fed that are in no batch yet.
    public boolean hasBytes() {
        return carry != null || !chunks.isEmpty();
    }

    /// Number of bytes that have been fed and are in no batch yet.
    public int bufferedBytes() {
        int sum = carry == null ? 0 : carry.readableBytes();
        for (ByteBuf chunk : chunks) {
            sum += chunk.readableBytes();
        }
        return sum;
    }

    /// Releases everything. May be called again.
    @Override
    public void close() {
        if (carry != null) {
            carry.release();
            carry = null;
        }
        chunks.forEach(ByteBuf::release);
        chunks.clear();
        remaining = 0;
    }

    /// Moves bytes from the chunks to the held frame until it may pass. Then it becomes the first chunk, joined
    /// with the rest of the chunk that completed it if that is short.
    private boolean completeCarry(ByteBuf held) {
        while (true) {
            int missing = needed(held) - held.readableBytes();
            ByteBuf chunk = chunks.peekFirst();
            if (missing > 0 && chunk == null) {
                return false;
            }
            if (missing > 0 && chunk != null) {
                held.writeBytes(chunk, Math.min(missing, chunk.readableBytes()));
            } else {
                if (chunk != null && chunk.readableBytes() <= Limits.JOINED && !policy.oneFramePerBatch()) {
                    held.writeBytes(chunk);
                }
                carry = null;
                dropIfRead(chunk);
                chunks.addFirst(held);
                return true;
            }
            dropIfRead(chunk);
        }
    }

    private void dropIfRead(@Nullable ByteBuf first) {
        if (first != null && !first.isReadable()) {
            chunks.removeFirst();
            first.release();
        }
    }

    private int needed(ByteBuf held) {
        if (held.readableBytes() < HEADER) {
            return HEADER;
        }
        int at = held.readerIndex();
        int length = held.getInt(at + 1);
        // A length out of bounds needs no more bytes: the scan refuses it.
        return policy.allows(held.getByte(at), length) ? policy.needed(held.getByte(at), length + 1) : HEADER;
    }

    /// Makes a batch of as much of the chunk as may pass. What is left of it is carried, or put back as the first
    /// chunk.
    private @Nullable Batch scan(ByteBuf chunk) {
        marks.clear();
        final int from = chunk.readerIndex();
        final int to = chunk.writerIndex();
        final boolean startsInside = remaining > 0;
        int at = from;
        boolean more = true;
        try {
            if (startsInside) {
                at = from + pass(to - from);
            }
            while (more && at < to) {
                if (at > from && policy.oneFramePerBatch()) {
                    break;
                }
                int next = frame(chunk, from, at, to);
                more = next > at;
                at = next;
            }
        } catch (ProtocolViolation violation) {
            if (at == from) {
                chunk.release();
                close();
                broken = violation;
                throw violation;
            }
            more = true; // What stands before it goes first; the next scan meets it again.
        }
        return cut(chunk, from, at, !more, startsInside);
    }

    /// Looks at the frame that begins at `at`. Returns where it, or the part of it that may pass, ends; `at` if
    /// none may.
    private int frame(ByteBuf chunk, int from, int at, int to) {
        byte type = chunk.getByte(at);
        policy.checkType(type);
        int available = to - at;
        if (available < HEADER) {
            return at;
        }
        int length = chunk.getInt(at + 1);
        policy.checkLength(type, length);
        int frameLength = length + 1;
        if (available < policy.needed(type, frameLength)) {
            return at;
        }
        int taken = Math.min(available, frameLength);
        byte treatment = policy.treatment(type);
        boolean marked = treatment == DecodePolicy.WHOLE
                || treatment == DecodePolicy.HEAD
                || (treatment == DecodePolicy.END && taken == frameLength);
        if (marked) {
            marks.add(type, at - from, at - from + taken, frameLength);
        }
        if (taken < frameLength) {
            remaining = frameLength - taken;
            passingType = type;
            passingLength = frameLength;
            markAtEnd = treatment == DecodePolicy.END;
        }
        return at + taken;
    }

    /// Takes what is there of the frame that passes in pieces. Returns how much that is.
    private int pass(int available) {
        int taken = Math.min(available, remaining);
        remaining -= taken;
        if (remaining == 0 && markAtEnd) {
            marks.add(passingType, -1, taken, passingLength);
        }
        return taken;
    }

    private @Nullable Batch cut(ByteBuf chunk, int from, int at, boolean holdRest, boolean startsInside) {
        int rest = chunk.writerIndex() - at;
        if (holdRest) {
            carry = copy(chunk, at, rest);
        }
        if (at == from) {
            chunk.release();
            return null;
        }
        if (!holdRest && rest > 0) {
            ByteBuf head = chunk.readRetainedSlice(at - from);
            chunks.addFirst(chunk);
            return marks.batch(head, startsInside, remaining > 0);
        }
        ByteBuf bytes = chunk;
        if (from == 0) {
            chunk.writerIndex(at);
        } else {
            bytes = chunk.retainedSlice(from, at - from);
            chunk.release();
        }
        return marks.batch(bytes, startsInside, remaining > 0);
    }

    private static ByteBuf copy(ByteBuf chunk, int at, int length) {
        int capacity = Math.max(length, SMALLEST_CARRY);
        ByteBuf copy = chunk.isDirect()
                ? chunk.alloc().directBuffer(capacity)
                : chunk.alloc().heapBuffer(capacity);
        return copy.writeBytes(chunk, at, length);
    }
}
