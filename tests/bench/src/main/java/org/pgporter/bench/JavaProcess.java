package org.pgporter.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/// Asks a JVM about itself, with the `jcmd` of the JDK that runs this program.
///
/// @param output a file for what it says
record JavaProcess(long pid, Path output) {
    private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(30);
    private static final Pattern HEAP_USED = Pattern.compile("heap .*\\bused (\\d+)K");
    private static final Pattern COLLECTIONS = Pattern.compile("sun\\.gc\\.collector\\.\\d\\.invocations=(\\d+)");
    private static final Pattern NATIVE_TOTAL = Pattern.compile("Total: reserved=\\d+KB, committed=(\\d+)KB");
    private static final Pattern NATIVE_OTHER = Pattern.compile("- +Other \\(reserved=\\d+KB, committed=(\\d+)KB\\)");

    static JavaProcess of(Pooler pooler, Path directory) {
        return new JavaProcess(pooler.program().orElseThrow().pid(), directory.resolve("jcmd.out"));
    }

    /// A full collection.
    void collect() {
        ask("GC.run");
    }

    /// Bytes in use on the heap, with what has died since the last collection.
    long heapUsed() {
        return number(HEAP_USED, "GC.heap_info").orElseThrow(() -> new BenchFailure("GC.heap_info says no size"))
                * 1024;
    }

    /// How often any of the collectors has run.
    long collections() {
        var counters = COLLECTIONS.matcher(ask("PerfCounter.print"));
        return counters.results()
                .flatMapToLong(it -> LongStream.of(Long.parseLong(it.group(1))))
                .sum();
    }

    /// Bytes that the JVM has committed of all kinds; empty without `-XX:NativeMemoryTracking=summary`.
    OptionalLong committed() {
        return kilobytes(NATIVE_TOTAL);
    }

    /// Bytes that Java code has allocated outside of the heap: the buffers of the sockets.
    OptionalLong direct() {
        return kilobytes(NATIVE_OTHER);
    }

    private OptionalLong kilobytes(Pattern pattern) {
        var found = number(pattern, "VM.native_memory", "summary");
        return found.isPresent() ? OptionalLong.of(found.getAsLong() * 1024) : found;
    }

    private OptionalLong number(Pattern pattern, String... question) {
        var found = pattern.matcher(ask(question));
        return found.find() ? OptionalLong.of(Long.parseLong(found.group(1))) : OptionalLong.empty();
    }

    private String ask(String... question) {
        var program = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        var command = new ArrayList<>(List.of(program.toString(), Long.toString(pid)));
        command.addAll(List.of(question));
        return Program.run(output, Map.of(), ANSWERS_WITHIN, command);
    }
}
