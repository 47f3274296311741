package org.pgporter.node.os;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.pgporter.auth.Secret;

/// Linux-PAM by the JDK's foreign functions: `libpam.so.0`, the same calls in the same order as in PostgreSQL
/// (`CheckPAMAuth` in `libpq/auth.c`).
///
/// [#authenticate] blocks for as long as the modules of the service do.
@SuppressWarnings("restricted") // native calls are what it is for
public final class Pam {
    private static final String LIBRARY = "libpam.so.0";

    // security/_pam_types.h
    private static final int SUCCESS = 0;
    private static final int CONV_ERR = 19;
    private static final int USER_ITEM = 2;
    private static final int RHOST_ITEM = 4;
    private static final int FAIL_DELAY_ITEM = 10;

    /// What says nothing about the user: a library, a module or a directory that is not there or does not work. A
    /// "system error" is not among them: that is how `pam_exec` says that its program has said no.
    private static final int[] NOBODYS_FAULT = {1, 2, 3, 5, 9, 19, 26, 28, 30, 31};

    /// Longest delay that a module is granted; it is for a person at a terminal.
    private static final Duration MOST_DELAY = Duration.ofSeconds(5);

    private static final Optional<Library> FOUND = Library.find();

    private Pam() {}

    /// What the modules have said.
    public sealed interface Outcome {
        record Accepted() implements Outcome {}

        /// @param reason for the operator, in the library's words
        /// @param delay after which the client may be told, as a module has asked for
        record Denied(String reason, Duration delay) implements Outcome {}

        /// Nothing has been said about the user.
        ///
        /// @param cause for the operator, in the library's words
        record Broken(String cause) implements Outcome {}
    }

    /// Whether there is such a library.
    public static boolean available() {
        return FOUND.isPresent();
    }

    /// Asks the modules of a service whether this password is the user's, and whether the user may come in now.
    /// Blocks.
    ///
    /// @param service the name of a file in `/etc/pam.d`
    /// @param remoteHost for modules that decide by it
    public static Outcome authenticate(String service, String user, Secret password, Optional<String> remoteHost) {
        if (FOUND.isEmpty()) {
            return new Outcome.Broken(LIBRARY + " is not there");
        }
        if (hasZero(service) || hasZero(user) || hasZero(password.reveal())) {
            return new Outcome.Denied("a zero byte in a name or password", Duration.ZERO);
        }
        try (Arena arena = Arena.ofConfined()) {
            return new Login(FOUND.get(), arena, password).run(service, user, remoteHost);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(LIBRARY + " could not be called", e);
        }
    }

    private static boolean hasZero(String text) {
        return text.indexOf('\0') >= 0;
    }

    /// One conversation, on one thread.
    private static final class Login {
        private final Library library;
        private final Arena arena;
        private final Conversation conversation;

        Login(Library library, Arena arena, Secret password) {
            this.library = library;
            this.arena = arena;
            this.conversation = new Conversation(library, password);
        }

        Outcome run(String service, String user, Optional<String> remoteHost) throws Throwable {
            MemorySegment conv = arena.allocate(ValueLayout.ADDRESS, 2);
            conv.setAtIndex(
                    ValueLayout.ADDRESS,
                    0,
                    library.upcall(arena, conversation, Conversation.ASKED, Conversation.ASKED_TYPE));
            conv.setAtIndex(ValueLayout.ADDRESS, 1, MemorySegment.NULL);
            MemorySegment slot = arena.allocate(ValueLayout.ADDRESS);
            int code =
                    (int) library.start.invokeExact(arena.allocateFrom(service), arena.allocateFrom(user), conv, slot);
            if (code != SUCCESS) {
                return new Outcome.Broken("pam_start failed with code " + code);
            }
            MemorySegment handle = slot.get(ValueLayout.ADDRESS, 0);
            try {
                code = (int) library.setItem.invokeExact(handle, USER_ITEM, arena.allocateFrom(user));
                // The library would sleep on this thread; the client can be kept waiting without it.
                if (code == SUCCESS) {
                    code = (int) library.setItem.invokeExact(
                            handle,
                            FAIL_DELAY_ITEM,
                            library.upcall(arena, conversation, Conversation.DELAY, Conversation.DELAY_TYPE));
                }
                if (code == SUCCESS && remoteHost.isPresent()) {
                    code = (int) library.setItem.invokeExact(handle, RHOST_ITEM, arena.allocateFrom(remoteHost.get()));
                }
                if (code != SUCCESS) {
                    return new Outcome.Broken("pam_set_item: " + words(handle, code));
                }
                code = (int) library.authenticate.invokeExact(handle, 0);
                if (code != SUCCESS) {
                    return failed("pam_authenticate: ", handle, code);
                }
                code = (int) library.accountManagement.invokeExact(handle, 0);
                return code == SUCCESS ? new Outcome.Accepted() : failed("pam_acct_mgmt: ", handle, code);
            } finally {
                int _ = (int) library.end.invokeExact(handle, code);
            }
        }

        private Outcome failed(String call, MemorySegment handle, int code) throws Throwable {
            String reason = call + words(handle, code);
            return Arrays.stream(NOBODYS_FAULT).anyMatch(it -> it == code)
                    ? new Outcome.Broken(reason)
                    : new Outcome.Denied(reason, conversation.delay);
        }

        private String words(MemorySegment handle, int code) throws Throwable {
            MemorySegment text = (MemorySegment) library.errorText.invokeExact(handle, code);
            return text.equals(MemorySegment.NULL)
                    ? "code " + code
                    : text.reinterpret(Conversation.MOST_TEXT_BYTES).getString(0);
        }
    }

    /// What the modules ask. Called from native code: nothing may be thrown.
    private static final class Conversation {
        static final FunctionDescriptor ASKED_TYPE = FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS);
        static final FunctionDescriptor DELAY_TYPE =
                FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
        static final MethodHandle ASKED = method("asked", ASKED_TYPE);
        static final MethodHandle DELAY = method("delayed", DELAY_TYPE);

        static final long MOST_TEXT_BYTES = 4096;

        // security/_pam_types.h
        private static final int MOST_QUESTIONS = 32;
        private static final int PROMPT_HIDDEN = 1;
        private static final int ERROR_TEXT = 3;
        private static final int TEXT = 4;

        /// `struct pam_response`: a pointer and an int, padded.
        private static final long ANSWER_BYTES = 16;

        private final Library library;
        private final Secret password;
        private Duration delay = Duration.ZERO;

        Conversation(Library library, Secret password) {
            this.library = library;
            this.password = password;
        }

        private static MethodHandle method(String name, FunctionDescriptor type) {
            try {
                MethodType java = type.toMethodType();
                return MethodHandles.lookup().findVirtual(Conversation.class, name, java);
            } catch (NoSuchMethodException | IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }

        /// The password is the answer to what a person would be asked without seeing what he types; texts are heard
        /// and not kept. Anything else, such as a name or a code by telephone, nobody could answer.
        @SuppressWarnings("unused") // called by the library
        int asked(int count, MemorySegment questions, MemorySegment answers, MemorySegment nothing) {
            try {
                if (count <= 0 || count > MOST_QUESTIONS) {
                    return CONV_ERR;
                }
                MemorySegment asked = questions.reinterpret((long) count * ValueLayout.ADDRESS.byteSize());
                MemorySegment given = (MemorySegment) library.zeroed.invokeExact((long) count, ANSWER_BYTES);
                if (given.equals(MemorySegment.NULL)) {
                    return CONV_ERR;
                }
                given = given.reinterpret(count * ANSWER_BYTES);
                for (int i = 0; i < count; i++) {
                    int style = asked.getAtIndex(ValueLayout.ADDRESS, i)
                            .reinterpret(ValueLayout.JAVA_INT.byteSize())
                            .get(ValueLayout.JAVA_INT, 0);
                    switch (style) {
                        case PROMPT_HIDDEN -> given.set(ValueLayout.ADDRESS, i * ANSWER_BYTES, copy(password.reveal()));
                        case ERROR_TEXT, TEXT -> given.set(ValueLayout.ADDRESS, i * ANSWER_BYTES, copy(""));
                        default -> {
                            release(given, i);
                            return CONV_ERR;
                        }
                    }
                }
                answers.reinterpret(ValueLayout.ADDRESS.byteSize()).set(ValueLayout.ADDRESS, 0, given);
                return SUCCESS;
            } catch (Throwable _) {
                return CONV_ERR;
            }
        }

        /// Instead of sleeping.
        @SuppressWarnings("unused") // called by the library
        void delayed(int result, int microseconds, MemorySegment nothing) {
            Duration asked = Duration.ofNanos(Integer.toUnsignedLong(microseconds) * 1000);
            delay = asked.compareTo(MOST_DELAY) > 0 ? MOST_DELAY : asked;
        }

        /// In memory that the library may free.
        private MemorySegment copy(String text) throws Throwable {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            MemorySegment memory = (MemorySegment) library.zeroed.invokeExact((long) bytes.length + 1, 1L);
            if (memory.equals(MemorySegment.NULL)) {
                throw new OutOfMemoryError("native memory");
            }
            MemorySegment.copy(bytes, 0, memory.reinterpret(bytes.length + 1L), ValueLayout.JAVA_BYTE, 0, bytes.length);
            Arrays.fill(bytes, (byte) 0);
            return memory;
        }

        private void release(MemorySegment given, int answers) throws Throwable {
            for (int i = 0; i < answers; i++) {
                library.free.invokeExact(given.get(ValueLayout.ADDRESS, i * ANSWER_BYTES));
            }
            library.free.invokeExact(given);
        }
    }

    private record Library(
            MethodHandle start,
            MethodHandle setItem,
            MethodHandle authenticate,
            MethodHandle accountManagement,
            MethodHandle end,
            MethodHandle errorText,
            MethodHandle zeroed,
            MethodHandle free) {

        static Optional<Library> find() {
            if (!System.getProperty("os.name", "").equals("Linux")) {
                return Optional.empty(); // other systems lay the questions out in another way
            }
            Linker linker = Linker.nativeLinker();
            SymbolLookup pam;
            try {
                pam = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
            } catch (IllegalArgumentException _) {
                return Optional.empty();
            }
            SymbolLookup c = linker.defaultLookup();
            var number = ValueLayout.JAVA_INT;
            var address = ValueLayout.ADDRESS;
            var size = ValueLayout.JAVA_LONG;
            return Optional.of(new Library(
                    call(linker, pam, "pam_start", FunctionDescriptor.of(number, address, address, address, address)),
                    call(linker, pam, "pam_set_item", FunctionDescriptor.of(number, address, number, address)),
                    call(linker, pam, "pam_authenticate", FunctionDescriptor.of(number, address, number)),
                    call(linker, pam, "pam_acct_mgmt", FunctionDescriptor.of(number, address, number)),
                    call(linker, pam, "pam_end", FunctionDescriptor.of(number, address, number)),
                    call(linker, pam, "pam_strerror", FunctionDescriptor.of(address, address, number)),
                    call(linker, c, "calloc", FunctionDescriptor.of(address, size, size)),
                    call(linker, c, "free", FunctionDescriptor.ofVoid(address))));
        }

        private static MethodHandle call(Linker linker, SymbolLookup from, String name, FunctionDescriptor type) {
            return linker.downcallHandle(from.findOrThrow(name), type);
        }

        MemorySegment upcall(Arena arena, Conversation conversation, MethodHandle method, FunctionDescriptor type) {
            return Linker.nativeLinker().upcallStub(method.bindTo(conversation), type, arena);
        }
    }
}
