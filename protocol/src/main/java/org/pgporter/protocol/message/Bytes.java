package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.security.MessageDigest;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// An immutable sequence of bytes that compares by content. `toString` tells the size only, because most of what is
/// carried here is a key, a proof or a user's data.
public final class Bytes {

    /// No bytes at all.
    public static final Bytes EMPTY = new Bytes(new byte[0]);

    private final byte[] content;

    private Bytes(byte[] content) {
        this.content = content;
    }

    /// A copy of the array.
    public static Bytes of(byte... content) {
        return content.length == 0 ? EMPTY : new Bytes(content.clone());
    }

    /// The text in UTF-8; see [WireText] for what becomes of bytes that are no UTF-8.
    public static Bytes ofText(String text) {
        return new Bytes(WireText.encode(text));
    }

    /// Reads and copies the next `length` bytes, which must be there.
    static Bytes read(ByteBuf in, int length) {
        if (length == 0) {
            return EMPTY;
        }
        byte[] content = new byte[length];
        in.readBytes(content);
        return new Bytes(content);
    }

    /// Number of bytes.
    public int size() {
        return content.length;
    }

    /// A copy, the caller's to keep or to wipe.
    public byte[] toArray() {
        return content.clone();
    }

    /// The content as text; see [WireText].
    public String toText() {
        return WireText.decode(content);
    }

    /// Appends all bytes.
    public void writeTo(ByteBuf out) {
        out.writeBytes(content);
    }

    /// True if both hold the same bytes. Takes the same time wherever they differ.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Bytes that && MessageDigest.isEqual(content, that.content);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(content);
    }

    @Override
    public String toString() {
        return "Bytes[" + content.length + "]";
    }
}
