package org.pgporter.integration.differential;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.CopyFail;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.FunctionCall;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.Terminate;

/// Messages of a client as one reads and writes them.
///
/// ```
/// Query select 1                          the rest of the line is SQL
/// Parse s int4,text : select $1, $2       name, types if any, SQL after the colon
/// Bind p s 1 null "two words" x:00ff      portal, statement, values
/// Bind p s x:00000001 formats=1 results=0,1
/// Describe S s                            or P for a portal; Close likewise
/// Execute p 2                             at most two rows
/// FunctionCall 1299 1 null formats=0 result=1
/// CopyData 1\tone\n                       CopyFail likewise
/// CopyDone, Sync, Flush, Terminate
/// raw 51 'abc' 00 ffff                    bytes as they are: hexadecimal, or ASCII in quotes
/// frame 51 'select 1' 00                  likewise a body, with type and length in front
/// ```
///
/// A name that is empty is written `-`. In words and data, `\n`, `\t`, `\\`, `\"` and `\b` for a blank mean what they
/// mean elsewhere.
final class MessageText {
    private static final Map<String, Integer> TYPES =
            Map.of("bool", 16, "bytea", 17, "int8", 20, "int2", 21, "int4", 23, "text", 25, "numeric", 1700, "-", 0);

    private MessageText() {}

    /// The bytes of the message, or whatever else is to be sent.
    static byte[] bytes(String line) {
        var parts = line.split(" ", 2);
        var rest = parts.length == 1 ? "" : parts[1];
        return switch (parts[0]) {
            case "raw" -> raw(rest);
            case "frame" -> frame(raw(rest));
            default -> encoded(message(parts[0], rest));
        };
    }

    private static byte[] encoded(FrontendMessage message) {
        var out = Unpooled.buffer();
        message.encodeTo(out);
        return ByteBufUtil.getBytes(out);
    }

    private static FrontendMessage message(String kind, String rest) {
        return switch (kind) {
            case "Query" -> new Query(rest);
            case "Parse" -> parse(rest);
            case "Bind" -> bind(words(rest));
            case "Describe" -> new Describe(target(words(rest)), name(words(rest), 1));
            case "Close" -> new Close(target(words(rest)), name(words(rest), 1));
            case "Execute" -> {
                var words = words(rest);
                yield new Execute(name(words, 0), words.size() > 1 ? Integer.parseInt(words.get(1)) : 0);
            }
            case "FunctionCall" -> functionCall(words(rest));
            case "CopyData" -> new CopyData(Bytes.ofText(unescaped(rest)));
            case "CopyDone" -> new CopyDone();
            case "CopyFail" -> new CopyFail(unescaped(rest));
            case "Sync" -> new Sync();
            case "Flush" -> new Flush();
            case "Terminate" -> new Terminate();
            default -> throw new IllegalArgumentException("no message and no step: " + kind);
        };
    }

    private static Parse parse(String rest) {
        var colon = (rest + " ").indexOf(" : ");
        if (colon < 0) {
            throw new IllegalArgumentException("Parse needs a colon in front of its SQL");
        }
        var words = words(rest.substring(0, colon));
        var types = words.size() < 2
                ? List.<Integer>of()
                : Stream.of(words.get(1).split(",")).map(MessageText::type).toList();
        return new Parse(name(words, 0), rest.substring(Math.min(rest.length(), colon + 3)), types);
    }

    private static int type(String name) {
        var known = TYPES.get(name);
        return known == null ? Integer.parseInt(name) : known;
    }

    private static Bind bind(List<String> words) {
        return new Bind(
                name(words, 0),
                name(words, 1),
                numbers(words, "formats="),
                values(words, 2),
                numbers(words, "results="));
    }

    private static FunctionCall functionCall(List<String> words) {
        var result = numbers(words, "result=");
        return new FunctionCall(
                Integer.parseInt(words.getFirst()),
                numbers(words, "formats="),
                values(words, 1),
                result.isEmpty() ? 0 : result.getFirst());
    }

    private static List<Optional<Bytes>> values(List<String> words, int from) {
        return words.stream()
                .skip(from)
                .filter(it -> !it.startsWith("formats=") && !it.startsWith("results=") && !it.startsWith("result="))
                .map(MessageText::value)
                .toList();
    }

    private static Optional<Bytes> value(String word) {
        if (word.equals("null")) {
            return Optional.empty();
        }
        return Optional.of(
                word.startsWith("x:")
                        ? Bytes.of(HexFormat.of().parseHex(word.substring(2)))
                        : Bytes.ofText(unescaped(word)));
    }

    private static List<Integer> numbers(List<String> words, String option) {
        return words.stream()
                .filter(it -> it.startsWith(option))
                .flatMap(it -> Stream.of(it.substring(option.length()).split(",")))
                .map(Integer::valueOf)
                .toList();
    }

    private static Target target(List<String> words) {
        return Target.of((byte) words.getFirst().charAt(0));
    }

    private static String name(List<String> words, int at) {
        var name = words.get(at);
        return name.equals("-") ? "" : unescaped(name);
    }

    /// Words are separated by blanks; one in double quotes may contain some. Escapes stay.
    private static List<String> words(String text) {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        var quoted = false;
        var begun = false;
        for (int i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                word.append(c).append(text.charAt(++i));
                begun = true;
            } else if (c == '"') {
                quoted = !quoted;
                begun = true;
            } else if (c == ' ' && !quoted) {
                if (begun) {
                    words.add(word.toString());
                    word.setLength(0);
                    begun = false;
                }
            } else {
                word.append(c);
                begun = true;
            }
        }
        if (begun) {
            words.add(word.toString());
        }
        return words;
    }

    private static String unescaped(String text) {
        var out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                var escape = text.charAt(++i);
                out.append(
                        switch (escape) {
                            case 'n' -> '\n';
                            case 't' -> '\t';
                            case 'b' -> ' ';
                            default -> escape;
                        });
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static byte[] raw(String rest) {
        var out = new ByteArrayOutputStream();
        for (var word : rest.split(" +(?=(?:[^']*'[^']*')*[^']*$)")) {
            if (word.startsWith("'")) {
                out.writeBytes(word.substring(1, word.length() - 1).getBytes(StandardCharsets.ISO_8859_1));
            } else if (!word.isEmpty()) {
                out.writeBytes(HexFormat.of().parseHex(word));
            }
        }
        return out.toByteArray();
    }

    /// The first byte is the type, the rest the body.
    private static byte[] frame(byte[] typeAndBody) {
        var out = Unpooled.buffer();
        out.writeByte(typeAndBody[0]).writeInt(4 + typeAndBody.length - 1);
        out.writeBytes(typeAndBody, 1, typeAndBody.length - 1);
        return ByteBufUtil.getBytes(out);
    }
}
