package org.pgporter.integration.differential;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.pgporter.integration.differential.Heard.Line;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.support.RecordingClient.Frame;

/// A server's messages as lines that can be compared. Nothing is left out but what may differ:
///
/// * process id and secret of BackendKeyData, and the process id of a NotificationResponse
/// * oids of what a conversation has created itself: they are counted in the order of their appearance
/// * the place in PostgreSQL's source that an error names, where only one of two errors names one
///
/// One for each client of each play.
final class FrameText {
    private static final int FIRST_NORMAL_OID = 16_384; // FirstNormalObjectId in PostgreSQL's source

    private final Map<Integer, String> oids = new HashMap<>();
    private final int lastFixedOid;

    /// @param lastFixedOid up to this one, objects are the same in all plays
    FrameText(int lastFixedOid) {
        this.lastFixedOid = lastFixedOid;
    }

    Line of(Frame frame) {
        var body = Unpooled.wrappedBuffer(frame.body().toArray());
        return switch ((char) frame.type()) {
            case 'E' -> response("ErrorResponse", ErrorResponse.decode(body).fields());
            case 'N' -> response("NoticeResponse", NoticeResponse.decode(body).fields());
            case 'K' -> Line.of("BackendKeyData " + (body.readableBytes() - 4) + " bytes");
            case 'A' -> {
                var it = NotificationResponse.decode(body);
                yield Line.of("NotificationResponse " + it.channel() + " " + it.payload());
            }
            case 'T' -> Line.of("RowDescription" + columns(body));
            case 't' -> Line.of("ParameterDescription" + types(body));
            case 'D' -> Line.of("DataRow" + values(body));
            case 'Z' -> Line.of("ReadyForQuery " + text(frame.body()));
            case 'C' -> Line.of("CommandComplete " + text(frame.body()));
            case 'S' -> Line.of("ParameterStatus " + text(frame.body()));
            default -> Line.of((char) frame.type() + " " + text(frame.body()));
        };
    }

    private static Line response(String name, Map<Character, String> fields) {
        var compared = new TreeMap<>(fields);
        var places = new ArrayList<String>();
        for (var field : List.of('F', 'L', 'R')) {
            Optional.ofNullable(compared.remove(field)).ifPresent(places::add);
        }
        return new Line(
                name + " " + compared, places.isEmpty() ? Optional.empty() : Optional.of(String.join(":", places)));
    }

    private String columns(ByteBuf body) {
        var out = new StringBuilder();
        for (int i = body.readUnsignedShort(); i > 0; i--) {
            var length = body.bytesBefore((byte) 0);
            out.append(" [").append(text(bytes(body, length)));
            body.skipBytes(1);
            out.append(" table ").append(oid(body.readInt())).append('.').append(body.readShort());
            out.append(" type ").append(oid(body.readInt())).append('/').append(body.readShort());
            out.append(" modifier ").append(body.readInt());
            out.append(" format ").append(body.readShort()).append(']');
        }
        return out.append(rest(body)).toString();
    }

    private String types(ByteBuf body) {
        var out = new StringBuilder();
        for (int i = body.readUnsignedShort(); i > 0; i--) {
            out.append(' ').append(oid(body.readInt()));
        }
        return out.append(rest(body)).toString();
    }

    private static String values(ByteBuf body) {
        var out = new StringBuilder();
        for (int i = body.readUnsignedShort(); i > 0; i--) {
            var length = body.readInt();
            out.append(' ').append(length < 0 ? "null" : text(bytes(body, length)));
        }
        return out.append(rest(body)).toString();
    }

    private static String rest(ByteBuf body) {
        return body.isReadable() ? " and " + body.readableBytes() + " bytes that nobody needs" : "";
    }

    private static Bytes bytes(ByteBuf body, int length) {
        var content = new byte[length];
        body.readBytes(content);
        return Bytes.of(content);
    }

    private String oid(int oid) {
        return oid < FIRST_NORMAL_OID || oid <= lastFixedOid
                ? Integer.toString(oid)
                : oids.computeIfAbsent(oid, _ -> "new-" + (oids.size() + 1));
    }

    /// As text where it is nothing but that, with a middle dot for each zero byte, otherwise in hexadecimal digits.
    private static String text(Bytes bytes) {
        var text = bytes.toText();
        return text.chars().allMatch(c -> (c >= ' ' || c == 0) && c != '·' && !Character.isSurrogate((char) c))
                ? "'" + text.replace('\0', '·') + "'"
                : "x'" + HexFormat.of().formatHex(bytes.toArray()) + "'";
    }
}
