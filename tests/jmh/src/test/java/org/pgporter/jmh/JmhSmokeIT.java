package org.pgporter.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Every benchmark once, for a moment and in this JVM: they work, and tell their time and what they allocate.
class JmhSmokeIT {
    /// How many benchmarks there are, with all their parameters.
    private static final int FRAMING = 6;

    private static final int MAPPING = 4;
    private static final int EFFECTS = 4;
    private static final int ASSIGNMENTS = 2;
    private static final int CONVERSATION = 4;

    @Test
    void shouldRunEveryBenchmark() throws RunnerException {
        // One JVM for the tests of several builds on a machine has no use for JMH's lock between them.
        System.setProperty("jmh.ignoreLock", "true");
        var options = new OptionsBuilder()
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(20))
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build();

        Collection<RunResult> results = new Runner(options).run();

        assertThat(results).hasSize(FRAMING + MAPPING + EFFECTS + ASSIGNMENTS + CONVERSATION);
        assertThat(results).allSatisfy(result -> {
            assertThat(result.getPrimaryResult().getScore()).isPositive();
            assertThat(result.getSecondaryResults()).containsKey("gc.alloc.rate.norm");
        });
        assertThat(names(results))
                .contains(
                        "FramingBenchmark.oneRead",
                        "StatementMappingBenchmark.oneBatch",
                        "StatementEffectsBenchmark.oneText",
                        "AssignmentsBenchmark.takeAndComeBack",
                        "AssignmentsBenchmark.waitAndGetOne",
                        "BackendConversationBenchmark.oneLease");
    }

    private static List<String> names(Collection<RunResult> results) {
        return results.stream()
                .map(result -> result.getParams().getBenchmark())
                .map(name -> name.replaceFirst(".*\\.(?=\\w+\\.\\w+$)", ""))
                .distinct()
                .collect(Collectors.toList());
    }
}
