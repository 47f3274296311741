package org.pgporter.node.os;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// The operating system's users by number, as `getpwuid_r` tells them: from its files, or from a directory far away,
/// so that a call may block.
@SuppressWarnings("restricted") // native calls are what it is for
public final class SystemUsers {
    /// What one entry needs, in bytes; more is asked for when it is not enough.
    private static final int ENTRY_BYTES = 4096;

    private static final int MOST_ENTRY_BYTES = 1024 * 1024;

    /// `ERANGE` on Linux and macOS.
    private static final int TOO_SMALL = 34;

    /// Longest name that is taken, in bytes; `LOGIN_NAME_MAX` of Linux is 256.
    private static final long MOST_NAME_BYTES = 1024;

    /// `struct passwd` is less than this on every system; its first field is the name.
    private static final int STRUCT_BYTES = 256;

    private static final Optional<MethodHandle> LOOKUP = lookup();

    private SystemUsers() {}

    /// Whether names can be told here at all.
    public static boolean available() {
        return LOOKUP.isPresent();
    }

    /// The name of a user; empty when there is none with that number. Blocks.
    ///
    /// @throws IllegalStateException when the system could not answer
    public static Optional<String> name(int number) {
        MethodHandle getpwuid = LOOKUP.orElseThrow(() -> new IllegalStateException("getpwuid_r is not there"));
        for (int size = ENTRY_BYTES; size <= MOST_ENTRY_BYTES; size *= 4) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment entry = arena.allocate(STRUCT_BYTES, 8);
                MemorySegment text = arena.allocate(size);
                MemorySegment found = arena.allocate(ValueLayout.ADDRESS);
                int error = (int) getpwuid.invokeExact(number, entry, text, (long) size, found);
                if (error == TOO_SMALL) {
                    continue;
                }
                if (error != 0) {
                    throw new IllegalStateException("getpwuid_r failed with error " + error);
                }
                if (found.get(ValueLayout.ADDRESS, 0).equals(MemorySegment.NULL)) {
                    return Optional.empty();
                }
                return Optional.of(entry.get(ValueLayout.ADDRESS, 0)
                        .reinterpret(MOST_NAME_BYTES)
                        .getString(0));
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException("getpwuid_r could not be called", e);
            }
        }
        throw new IllegalStateException("the entry of a system user is too long");
    }

    private static Optional<MethodHandle> lookup() {
        SymbolLookup symbols = Linker.nativeLinker().defaultLookup();
        return symbols.find("getpwuid_r")
                .map(address -> Linker.nativeLinker()
                        .downcallHandle(
                                address,
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.ADDRESS)));
    }
}
