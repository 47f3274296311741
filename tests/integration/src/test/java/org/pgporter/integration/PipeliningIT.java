package org.pgporter.integration;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;

/// Clients that send without end before they ask for anything: what has not been answered takes no memory to speak of,
/// and every answer is the one to its question.
class PipeliningIT {
    private static final int MILLION = 1_000_000;
    private static final int CHUNK = 1_000;

    /// For test and node together, much less than what is sent or answered.
    private static final long MEGABYTES = 32;

    private static final java.util.Map<PoolMode, Proxied> STARTED = new java.util.EnumMap<>(PoolMode.class);

    @AfterAll
    static void stopNodes() {
        STARTED.values().forEach(Proxied::close);
        STARTED.clear();
    }

    private static Proxied given(PoolMode mode) {
        return STARTED.computeIfAbsent(mode, it -> Proxied.start(PostgresMajor.NEWEST, it, "pipelining", 2));
    }

    private static RawClient client(Proxied proxied) {
        return RawClient.connects(proxied.node().host(), proxied.node().port())
                .logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
    }

    // ---- without a Sync ------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"TRANSACTION", "SESSION"})
    void shouldPipelineAMillionStatementsWithoutSync_checklist85(PoolMode mode) {
        try (RawClient client = client(given(mode))) {
            prepares(client, "select $1::int");
            MemoryWatch memory = new MemoryWatch();

            CompletableFuture<Void> sending = inBackground(() -> {
                floods(client, MILLION, "s", String::valueOf, _ -> {});
                client.sendsSync();
            });
            expectsAnswers(client, MILLION, String::valueOf, answered -> {
                if (answered % (MILLION / 4) == 0) {
                    memory.looks();
                }
            });

            sending.join();
            client.expectsReadyForQuery(IDLE);
            memory.sawAtMost(MEGABYTES);
            assertThat(client.query("select 'next'")).containsExactly(List.of("next"));
        }
    }

    /// Here each statement is parsed anew, and the answers are not read until no more questions are taken.
    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"TRANSACTION", "SESSION"})
    void shouldStopAClientThatDoesNotReadItsAnswers_checklist85(PoolMode mode) {
        int statements = 20_000;
        String padding = "x".repeat(6_000);
        try (RawClient client = client(given(mode))) {
            MemoryWatch memory = new MemoryWatch();
            AtomicLong sent = new AtomicLong();
            CompletableFuture<Void> sending = inBackground(() -> {
                for (int from = 0; from < statements; from += CHUNK) {
                    client.sendsRaw(encoded(IntStream.range(from, from + CHUNK)
                            .boxed()
                            .flatMap(n -> Stream.of(
                                    new Parse("", "select $1 || '" + padding + "'", List.of(25)),
                                    bind("", Integer.toString(n)),
                                    new Execute("", 0)))
                            .toArray(FrontendMessage[]::new)));
                    sent.addAndGet(CHUNK);
                }
                client.sendsSync();
            });
            awaitStandstill(sent);

            assertThat(sent.get()).isLessThan(statements);
            memory.looks();
            expectsAnswers(client, statements, n -> n + padding, answered -> {
                if (answered == statements / 2) {
                    memory.looks();
                }
            });
            sending.join();
            client.expectsReadyForQuery(IDLE);
            memory.sawAtMost(MEGABYTES);
        }
    }

    /// PostgreSQL reads all of it and says nothing, so nobody stops the client; nothing of it may be kept.
    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"TRANSACTION", "SESSION"})
    void shouldRememberNothingOfWhatIsSkippedAfterAnError_checklist69(PoolMode mode) {
        try (RawClient client = client(given(mode))) {
            prepares(client, "select $1::int");
            client.sendsParse("bad", "select nonsense from nowhere").sendsFlush();
            client.expectsError("42P01");
            MemoryWatch memory = new MemoryWatch();
            for (int from = 0; from < MILLION; from += CHUNK) {
                client.sendsRaw(encoded(IntStream.range(from, from + CHUNK)
                        .boxed()
                        .flatMap(n -> Stream.of(
                                new Parse("skipped" + n, "select " + n, List.of()),
                                bind("skipped" + n),
                                new Execute("", 0)))
                        .toArray(FrontendMessage[]::new)));
                if (from == MILLION / 2) {
                    memory.looks();
                }
            }
            memory.sawAtMost(MEGABYTES);

            client.sendsSync();
            client.expectsReadyForQuery(IDLE);
            // What the names meant before the error they mean still.
            client.sends(bind("skipped1"), new Sync());
            client.expectsError("26000");
            client.expectsReadyForQuery(IDLE);
            client.sends(bind("s", "7"), new Execute("", 0), new Sync());
            expectsAnswers(client, 1, _ -> "7", _ -> {});
            client.expectsReadyForQuery(IDLE);
        }
    }

    // ---- both sides at once --------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"TRANSACTION", "SESSION"})
    void shouldCarryLargeValuesInBothDirectionsAtOnce_checklist85(PoolMode mode) {
        int values = 100;
        String value = "0123456789abcdef".repeat(64 * 1024);
        try (RawClient client = client(given(mode))) {
            prepares(client, "select $1::text");
            CompletableFuture<Void> sending = inBackground(() -> {
                for (int n = 0; n < values; n++) {
                    client.sendsRaw(encoded(bind("s", value + n), new Execute("", 0)));
                }
                client.sendsSync();
            });
            expectsAnswers(client, values, n -> value + n, _ -> {});
            sending.join();
            client.expectsReadyForQuery(IDLE);
        }
    }

    // ---- words ---------------------------------------------------------------------------------------------------

    private static void prepares(RawClient client, String sql) {
        client.sends(new Parse("s", sql, List.of()), new Sync());
        client.expects(ParseComplete.class);
        client.expectsReadyForQuery(IDLE);
    }

    private static Bind bind(String statement, String... values) {
        return RawClient.bind("", statement, values);
    }

    private static void floods(
            RawClient client,
            int count,
            String statement,
            java.util.function.IntFunction<String> value,
            IntConsumer sent) {
        for (int from = 0; from < count; from += CHUNK) {
            ByteBuf out = Unpooled.buffer(64 * CHUNK);
            for (int n = from; n < from + CHUNK; n++) {
                new Bind("", statement, List.of(), List.of(Optional.of(Bytes.ofText(value.apply(n)))), List.of())
                        .encodeTo(out);
                new Execute("", 0).encodeTo(out);
            }
            client.sendsRaw(ByteBufUtil.getBytes(out));
            sent.accept(from + CHUNK);
        }
    }

    private static void expectsAnswers(
            RawClient client, int count, java.util.function.IntFunction<String> answer, IntConsumer answered) {
        int[] rows = {0};
        int[] done = {0};
        client.reads((type, body) -> {
            switch (type) {
                case 'D' -> {
                    // One column: its count, its length, its text.
                    String text = body.toString(body.readerIndex() + 6, body.readableBytes() - 6, US_ASCII);
                    if (!text.equals(answer.apply(rows[0]))) {
                        throw new AssertionError("answer " + rows[0] + " is " + text);
                    }
                    rows[0]++;
                }
                case 'C' -> {
                    done[0]++;
                    assertThat(rows[0]).isEqualTo(done[0]);
                    answered.accept(done[0]);
                }
                case '1', '2' -> {}
                default -> throw new AssertionError("unexpected message " + type);
            }
            return done[0] < count;
        });
    }

    private static byte[] encoded(FrontendMessage... messages) {
        ByteBuf out = Unpooled.buffer();
        for (FrontendMessage message : messages) {
            message.encodeTo(out);
        }
        return ByteBufUtil.getBytes(out);
    }

    private static CompletableFuture<Void> inBackground(Runnable work) {
        return CompletableFuture.runAsync(work, Executors.newVirtualThreadPerTaskExecutor());
    }

    /// Until nothing more could be written for a while.
    private static void awaitStandstill(AtomicLong written) {
        AtomicLong last = new AtomicLong(-1);
        await().during(Duration.ofMillis(400))
                .pollInterval(Duration.ofMillis(50))
                .atMost(Duration.ofSeconds(10))
                .until(() -> last.getAndSet(written.get()) == written.get() && written.get() > 0);
    }
}
