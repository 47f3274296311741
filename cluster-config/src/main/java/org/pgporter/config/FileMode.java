package org.pgporter.config;

import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Who may read, write and enter a file. In the file as `chmod` takes it: three or four octal digits, such as
/// `"0600"`.
///
/// @param bits 0 to 0777; set-user-id, set-group-id and sticky bits have no meaning on a socket and are refused
public record FileMode(int bits) {
    private static final Pattern SYNTAX = Pattern.compile("(?:0o?)?[0-7]{3}");

    public FileMode {
        if (bits < 0 || bits > 0777) {
            throw new IllegalArgumentException(
                    "a file mode is 0000 to 0777 (octal), was " + Integer.toOctalString(bits));
        }
    }

    /// Reads three octal digits with an optional leading zero; empty for anything else.
    public static Optional<FileMode> parse(String text) {
        if (!SYNTAX.matcher(text).matches()) {
            return Optional.empty();
        }
        return Optional.of(new FileMode(Integer.parseInt(text.substring(text.length() - 3), 8)));
    }

    /// The same as Java's file functions want it.
    public Set<PosixFilePermission> permissions() {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] fromHighestBit =
                PosixFilePermission.values(); // owner r, w, x, group r, … as in the nine bits
        for (int i = 0; i < fromHighestBit.length; i++) {
            if ((bits & (0400 >> i)) != 0) {
                permissions.add(fromHighestBit[i]);
            }
        }
        return permissions;
    }

    @Override
    public String toString() {
        return "0%03o".formatted(bits);
    }
}
