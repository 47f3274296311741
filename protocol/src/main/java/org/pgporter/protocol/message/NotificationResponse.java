package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A NOTIFY that arrived on a channel this session listens to.
public record NotificationResponse(int processId, String channel, String payload) implements BackendMessage {

    public static final byte TYPE = 'A';

    public NotificationResponse {
        Wire.requireText(channel, "channel");
        Wire.requireText(payload, "payload");
    }

    public static NotificationResponse decode(ByteBuf body) {
        int processId = Wire.readInt(body);
        var channel = Wire.readText(body);
        return Wire.end(body, new NotificationResponse(processId, channel, Wire.readText(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        out.writeInt(processId);
        Wire.writeText(out, channel);
        Wire.writeText(out, payload);
    }
}
