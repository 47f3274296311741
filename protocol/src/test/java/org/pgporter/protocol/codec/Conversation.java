package org.pgporter.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Random frames as bytes, and where each of them is.
record Conversation(byte[] bytes, List<Frame> frames) {

    record Frame(byte type, int start, int length) {
        int end() {
            return start + length;
        }
    }

    /// Frames of these types with bodies of up to `maxBody` bytes; half of them are short.
    static Conversation random(Random random, String types, int frames, int maxBody, int maxWhole, String wholeTypes) {
        var bytes = new ByteArrayOutputStream();
        List<Frame> list = new ArrayList<>();
        for (int i = 0; i < frames; i++) {
            char type = types.charAt(random.nextInt(types.length()));
            int most = wholeTypes.indexOf(type) >= 0 ? Math.min(maxBody, maxWhole) : maxBody;
            byte[] body = new byte[random.nextInt(1 + (random.nextBoolean() ? Math.min(most, 40) : most))];
            random.nextBytes(body);
            list.add(new Frame((byte) type, bytes.size(), body.length + 5));
            bytes.write(type);
            bytes.writeBytes(ByteBuffer.allocate(4).putInt(body.length + 4).array());
            bytes.writeBytes(body);
        }
        return new Conversation(bytes.toByteArray(), List.copyOf(list));
    }

    ByteBuf chunk(ByteBufAllocator alloc, int from, int to) {
        return alloc.buffer(Math.max(1, to - from)).writeBytes(bytes, from, to - from);
    }
}
