package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;
import org.pgporter.protocol.message.WireMessage;

/// Batches and bytes for tests. Bytes are compared as texts, each byte one character.
final class Wires {
    private Wires() {}

    static Batch client(WireMessage... messages) {
        return Batch.of(DecodePolicy.FRONTEND, messages);
    }

    static Batch server(WireMessage... messages) {
        return Batch.of(DecodePolicy.BACKEND, messages);
    }

    static Batch batch(DecodePolicy policy, ByteBuf bytes) {
        try (var decoder = new FrameDecoder(policy)) {
            decoder.feed(bytes);
            return decoder.next().orElseThrow();
        }
    }

    /// The batches that come out when the bytes of these messages arrive in pieces of this size.
    static List<Batch> pieces(DecodePolicy policy, int size, WireMessage... messages) {
        String all = joined(messages);
        List<Batch> batches = new ArrayList<>();
        try (var decoder = new FrameDecoder(policy)) {
            for (int from = 0; from < all.length(); from += size) {
                decoder.feed(buffer(all.substring(from, Math.min(all.length(), from + size))));
                decoder.next().ifPresent(batches::add);
            }
        }
        return batches;
    }

    static String joined(WireMessage... messages) {
        ByteBuf out = Unpooled.buffer();
        for (WireMessage message : messages) {
            message.encodeTo(out);
        }
        return bytes(out);
    }

    /// The readable bytes. Releases the buffer.
    static String bytes(ByteBuf buffer) {
        String text = buffer.toString(StandardCharsets.ISO_8859_1);
        buffer.release();
        return text;
    }

    static ByteBuf buffer(String bytes) {
        return Unpooled.copiedBuffer(bytes, StandardCharsets.ISO_8859_1);
    }
}
