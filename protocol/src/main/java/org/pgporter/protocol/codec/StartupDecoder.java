package org.pgporter.protocol.codec;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.StartupPacket;

/// Reads startup packets: what a client sends before messages have a type byte. Pure, for one thread at a time.
///
/// Feed a chunk, then take packets. After a StartupMessage the rest belongs to a [FrameDecoder]: see [#handOverTo].
/// Noise that cannot be PostgreSQL is refused as early as it can be told, quietly. An unfinished packet waits in a
/// small buffer of its own.
public final class StartupDecoder implements AutoCloseable {

    private static final int LENGTH_WORD = 4;
    private static final int SMALLEST_PACKET = 8;

    /// First byte of a TLS record that carries a handshake.
    private static final int TLS_HANDSHAKE = 0x16;

    /// What has not been decoded yet; `own` tells whether the buffer is ours to append to.
    private @Nullable ByteBuf pending;

    private boolean own;

    /// Takes the next bytes, and the ownership of them.
    public void feed(ByteBuf chunk) {
        ByteBuf before = pending;
        if (before == null) {
            pending = chunk;
            own = false;
            return;
        }
        ByteBuf to = own ? before : copyOf(before);
        to.writeBytes(chunk);
        chunk.release();
        pending = to;
        own = true;
    }

    /// The next packet; empty if more bytes are needed.
    public Optional<StartupPacket> next() {
        ByteBuf in = pending;
        if (in == null) {
            return Optional.empty();
        }
        if (!in.isReadable()) {
            close();
            return Optional.empty();
        }
        refuseNoise(in);
        if (in.readableBytes() < LENGTH_WORD) {
            return wait(in);
        }
        int length = in.getInt(in.readerIndex());
        if (length < SMALLEST_PACKET || length - LENGTH_WORD > Limits.MAX_STARTUP_PACKET_LENGTH) {
            throw badLength();
        }
        if (in.readableBytes() < length) {
            return wait(in);
        }
        in.skipBytes(LENGTH_WORD);
        StartupPacket packet = StartupPacket.decode(in.readSlice(length - LENGTH_WORD));
        if (!in.isReadable()) {
            close();
        }
        return Optional.of(packet);
    }

    /// True if bytes have been fed that belong to no packet taken yet.
    public boolean hasBytes() {
        return pending != null && pending.isReadable();
    }

    /// Gives what has not been decoded to the decoder of what follows.
    public void handOverTo(FrameDecoder frames) {
        ByteBuf rest = pending;
        pending = null;
        if (rest != null) {
            frames.feed(rest);
        }
    }

    /// Releases everything. May be called again.
    @Override
    public void close() {
        if (pending != null) {
            pending.release();
            pending = null;
        }
    }

    /// The first byte of a length that is small enough is zero.
    private static void refuseNoise(ByteBuf in) {
        int first = in.getUnsignedByte(in.readerIndex());
        if (first == TLS_HANDSHAKE) {
            throw ProtocolViolation.quiet("direct TLS connection, but direct TLS is not on");
        }
        if (first != 0) {
            throw badLength();
        }
    }

    private static ProtocolViolation badLength() {
        return ProtocolViolation.quiet("invalid length of startup packet");
    }

    private Optional<StartupPacket> wait(ByteBuf in) {
        if (!own) {
            pending = copyOf(in);
            own = true;
        }
        return Optional.empty();
    }

    private static ByteBuf copyOf(ByteBuf in) {
        ByteBuf copy = in.alloc().heapBuffer(Math.max(64, in.readableBytes()));
        copy.writeBytes(in);
        in.release();
        return copy;
    }
}
