package org.pgporter.protocol.stream;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupPacket;

/// What the wire log says about an element: fixed keys, text in quotes, everything that is not printable ASCII
/// escaped, so that nothing from the wire can break a line.
final class WireLines {

    /// Longest excerpt of a body, in bytes. A line must stay readable.
    private static final int EXCERPT = 200;

    /// Types whose body is a password, a proof, a challenge or a cancel key, or may contain one: `ALTER ROLE …
    /// PASSWORD` comes as a query, and values come in Bind and FunctionCall.
    private static final String SECRET_TYPES = "pRKQPBF";

    private WireLines() {}

    static List<String> of(Framed framed) {
        return switch (framed) {
            case Framed.Startup(var packet, var moreBytes) -> List.of(startup(packet) + " moreBytes=" + moreBytes);
            case Framed.Messages(var batch) -> batch(batch);
            case Framed.Violated(var violation) ->
                List.of("violation sqlState=" + violation.sqlState() + " quiet=" + violation.quiet() + " message="
                        + quoted(violation.getMessage()));
        };
    }

    private static String startup(StartupPacket packet) {
        return switch (packet) {
            case StartupMessage(var version, var parameters) ->
                "packet=StartupMessage version=" + version + " parameters=" + quoted(parameters.toString());
            case SslRequest _ -> "packet=SSLRequest";
            case GssEncRequest _ -> "packet=GSSENCRequest";
            case CancelRequest cancel -> "packet=CancelRequest processId=" + cancel.processId();
        };
    }

    private static List<String> batch(Batch batch) {
        List<String> lines = new ArrayList<>();
        int at = 0;
        for (int mark = 0; mark < batch.marks(); mark++) {
            int start = Math.max(batch.start(mark), 0);
            opaque(lines, at, start);
            lines.add(marked(batch, mark));
            at = batch.end(mark);
        }
        opaque(lines, at, batch.length());
        return lines;
    }

    private static void opaque(List<String> lines, int from, int to) {
        if (to > from) {
            lines.add("opaque bytes=" + (to - from));
        }
    }

    private static String marked(Batch batch, int mark) {
        var line = new StringBuilder("type=");
        escape(line, batch.type(mark) & 0xff);
        line.append(" length=").append(batch.declaredLength(mark));
        if (!batch.complete(mark)) {
            line.append(" part=").append(batch.start(mark) < 0 ? "end" : "head");
        }
        if (SECRET_TYPES.indexOf(batch.type(mark)) < 0 && batch.start(mark) >= 0) {
            ByteBuf body = batch.body(mark);
            int shown = Math.min(body.readableBytes(), EXCERPT);
            line.append(" body=\"");
            for (int i = 0; i < shown; i++) {
                escape(line, body.getUnsignedByte(i));
            }
            line.append(shown < body.readableBytes() ? "\"..." : "\"");
        }
        return line.toString();
    }

    private static String quoted(String text) {
        var line = new StringBuilder("\"");
        text.chars().limit(EXCERPT).forEach(c -> escape(line, c));
        return line.append(text.length() > EXCERPT ? "\"..." : "\"").toString();
    }

    private static void escape(StringBuilder line, int c) {
        if (c == '"' || c == '\\') {
            line.append('\\').append((char) c);
        } else if (c >= ' ' && c <= '~') {
            line.append((char) c);
        } else if (c == 0) {
            line.append("\\0");
        } else {
            line.append(String.format(c > 0xff ? "\\u%04x" : "\\x%02x", c));
        }
    }
}
