package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.pgporter.node.transport.LoopLag;

/// What a node shows of its event loops, and that their watchdog ends with it.
class LoopLagIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @Test
    void shouldShowTheTurnsOfTheLoopsAndEndTheirWatchdogWithTheNode() throws Exception {
        // Given: a node with nothing behind it
        try (TestNode node = TestNode.inFrontOf("127.0.0.1", 1)
                .user("app", "alice", "secret")
                .general(general -> general.withEventLoops(general.eventLoops().withWorkerThreads(2)))
                .start()) {
            assertThat(node.node().loopLags()).extracting(LoopLag::loop).containsExactly(0, 1);
            assertThat(watchdogRuns()).isTrue();
            long turns = turns(node);

            // When
            new Socket(node.host(), node.port()).close();

            // Then
            await().atMost(PATIENCE).until(() -> turns(node) > turns);
        }
        assertThat(watchdogRuns()).isFalse();
    }

    private static long turns(TestNode node) {
        return node.node().loopLags().stream()
                .flatMap(lag -> lag.turns().stream())
                .mapToLong(Long::longValue)
                .sum();
    }

    private static boolean watchdogRuns() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals("pgporter-watchdog"));
    }
}
