package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.Query;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;

/// LISTEN in session mode: who listens is told when PostgreSQL tells, and nobody else is.
class ListenIT {
    private static final Map<PostgresMajor, Proxied> STARTED = new EnumMap<>(PostgresMajor.class);

    @AfterAll
    static void stopNodes() {
        STARTED.values().forEach(Proxied::close);
        STARTED.clear();
    }

    private static RawClient client(PostgresMajor major) {
        Proxied proxied = STARTED.computeIfAbsent(major, it -> Proxied.start(it, PoolMode.SESSION, "listening", 8));
        return RawClient.connects(proxied.node().host(), proxied.node().port())
                .logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldTellAtOnceWhoIsIdle_checklist111(PostgresMajor major) {
        try (RawClient listener = client(major);
                RawClient notifier = client(major)) {
            listener.query("listen idle_channel");
            for (int i = 0; i < 3; i++) {
                notifier.query("notify idle_channel, 'number " + i + "'");
                // It has not said anything meanwhile.
                assertThat(payload(listener)).isEqualTo("number " + i);
            }
            notifier.query("begin");
            notifier.query("notify idle_channel, 'undone'");
            notifier.query("rollback");
            notifier.query("notify idle_channel, 'last'");
            assertThat(payload(listener)).isEqualTo("last");
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldTellAfterTheTransactionWhoIsInOne_checklist111(PostgresMajor major) {
        try (RawClient listener = client(major);
                RawClient notifier = client(major)) {
            listener.query("listen tx_channel");
            listener.query("begin");
            notifier.query("notify tx_channel, 'meanwhile'");
            listener.query("notify tx_channel, 'own'");
            listener.query("select 1");
            assertThat(listener.transcript()).doesNotContain("NotificationResponse");

            listener.sendsQuery("commit");

            listener.expectsCommandComplete("COMMIT");
            listener.expectsReadyForQuery(IDLE);
            assertThat(List.of(payload(listener), payload(listener))).containsExactlyInAnyOrder("meanwhile", "own");
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldTellBetweenTheStatementsOfAPipeline_checklist111(PostgresMajor major) {
        try (RawClient listener = client(major)) {
            listener.query("listen own_channel");
            listener.sends(
                    new Query("notify own_channel, 'first'"),
                    new Query("begin"),
                    new Query("notify own_channel, 'second'"),
                    new Query("commit"));

            listener.expectsCommandComplete("NOTIFY");
            listener.expectsReadyForQuery(IDLE);
            listener.expectsCommandComplete("BEGIN");
            listener.expectsReadyForQuery(IN_TRANSACTION);
            listener.expectsCommandComplete("NOTIFY");
            listener.expectsReadyForQuery(IN_TRANSACTION);
            listener.expectsCommandComplete("COMMIT");
            listener.expectsReadyForQuery(IDLE);
            assertThat(payload(listener)).isEqualTo("first");
            assertThat(payload(listener)).isEqualTo("second");
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldTellEverythingToWhoListensAndNothingToOthersUnderLoad_checklist111(PostgresMajor major) {
        int each = 300;
        List<String> channels = List.of("load_one", "load_two");
        try (RawClient first = client(major);
                RawClient second = client(major);
                RawClient deaf = client(major);
                RawClient oneNotifier = client(major);
                RawClient otherNotifier = client(major)) {
            List<RawClient> listeners = List.of(first, second);
            listeners.forEach(listener -> listener.query("listen " + channels.get(listeners.indexOf(listener))));
            List<CompletableFuture<Void>> working = new ArrayList<>();
            for (RawClient notifier : List.of(oneNotifier, otherNotifier)) {
                String name = notifier == oneNotifier ? "one" : "other";
                working.add(inBackground(() -> IntStream.range(0, each)
                        .forEach(n -> channels.forEach(channel ->
                                notifier.query("notify " + channel + ", '" + channel + " " + name + " " + n + "'")))));
            }
            // The listeners, and one who does not listen, work at the same time.
            for (RawClient worker : List.of(first, second, deaf)) {
                working.add(inBackground(() -> IntStream.range(0, each)
                        .forEach(n -> assertThat(worker.query("select 'token " + n + "'"))
                                .containsExactly(List.of("token " + n)))));
            }
            working.forEach(CompletableFuture::join);

            for (RawClient listener : listeners) {
                String channel = channels.get(listeners.indexOf(listener));
                List<String> heard = new ArrayList<>();
                for (int i = 0; i < 2 * each; i++) {
                    heard.add(payload(listener));
                }
                for (String name : List.of("one", "other")) {
                    assertThat(heard)
                            .filteredOn(payload -> payload.startsWith(channel + " " + name + " "))
                            .containsExactlyElementsOf(IntStream.range(0, each)
                                    .mapToObj(n -> channel + " " + name + " " + n)
                                    .toList());
                }
            }
            assertThat(deaf.transcript()).doesNotContain("NotificationResponse");
        }
    }

    private static String payload(RawClient listener) {
        return listener.expects(NotificationResponse.class).payload();
    }

    private static CompletableFuture<Void> inBackground(Runnable work) {
        return CompletableFuture.runAsync(work, Executors.newVirtualThreadPerTaskExecutor());
    }
}
