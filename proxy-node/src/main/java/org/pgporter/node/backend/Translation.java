package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.codec.Batch;

/// Copies a batch with some ranges replaced; gives the batch's own bytes when nothing was replaced or only
/// its beginning was cut off.
final class Translation {
    private final ByteBufAllocator allocator;
    private final ByteBuf source;
    private @Nullable ByteBuf target;
    private int position;

    Translation(Batch batch, ByteBufAllocator allocator) {
        this.allocator = allocator;
        this.source = batch.bytes();
        this.position = source.readerIndex();
    }

    /// What is written to the returned buffer takes the place of the bytes from `start` to `end`.
    ByteBuf replacing(int start, int end) {
        ByteBuf out = target;
        if (out == null) {
            out = allocator.buffer(source.readableBytes() + 128);
            target = out;
        }
        out.writeBytes(source, position, start - position);
        position = end;
        return out;
    }

    ByteBuf result() {
        ByteBuf out = target;
        if (out == null) {
            return source;
        }
        if (!out.isReadable()) {
            out.release();
            return source.readerIndex(position);
        }
        out.writeBytes(source, position, source.writerIndex() - position);
        source.release();
        return out;
    }
}
