package org.pgporter.protocol.message;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/// How bytes of the wire become Java text and return unchanged. Valid UTF-8 is read as UTF-8. A byte that is not
/// part of valid UTF-8 (a client with a Latin-1 user name, say) becomes the lone surrogate U+DC00 + byte, which
/// UTF-8 itself can never produce, and is written back as that byte. So different bytes are always different
/// strings, and every name or query survives a round trip whatever its encoding.
public final class WireText {

    private static final char ESCAPE = '\uDC00';

    private WireText() {}

    /// Text of these bytes. Never fails.
    public static String decode(byte[] bytes) {
        var decoder = StandardCharsets.UTF_8.newDecoder();
        var in = ByteBuffer.wrap(bytes);
        var out = CharBuffer.allocate(bytes.length);
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (!result.isMalformed()) {
                break;
            }
            for (int i = result.length(); i > 0; i--) {
                out.put((char) (ESCAPE + (in.get() & 0xff)));
            }
            decoder.reset();
        }
        return out.flip().toString();
    }

    /// Bytes of this text. What [#decode] has escaped becomes the original byte; any other lone surrogate becomes
    /// `?`.
    public static byte[] encode(String text) {
        if (text.chars().noneMatch(c -> c >= 0xDC80 && c <= 0xDCFF)) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        var out = new ByteArrayOutputStream(text.length() + 16);
        for (int i = 0; i < text.length(); ) {
            int point = text.codePointAt(i);
            i += Character.charCount(point);
            if (point >= 0xDC80 && point <= 0xDCFF) {
                out.write(point - ESCAPE);
            } else {
                out.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
            }
        }
        return out.toByteArray();
    }
}
