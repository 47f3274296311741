package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.support.BackendMessages.copyData;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.CopyFail;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;

/// Many clients that copy in every way at one time, on a few backends of a real server; some give up, some are wrong,
/// some
/// vanish. What arrives in the table is what was finished, and nobody hears of another's COPY.
class CopyStormIT {
    private static final int CLIENTS = 6;
    private static final int ROUNDS = 25;
    private static final int LINES = 40;

    /// How often each token must be there, where that is certain.
    private final Map<String, Integer> expected = new ConcurrentHashMap<>();

    private final long seed = System.nanoTime();

    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"TRANSACTION", "SESSION"})
    void shouldKeepCopiesApart_checklist75(PoolMode mode) {
        int backends = mode == PoolMode.SESSION ? CLIENTS : 2;
        try (Proxied proxied = Proxied.start(PostgresMajor.NEWEST, mode, "storm", backends)) {
            proxied.sql(
                    "drop table if exists storm",
                    "create table storm (token text, n int)",
                    "alter table storm owner to " + proxied.name());
            List<CompletableFuture<Void>> clients = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                int number = client;
                clients.add(CompletableFuture.runAsync(
                        () -> copies(proxied, number), Executors.newVirtualThreadPerTaskExecutor()));
            }
            clients.forEach(CompletableFuture::join);

            proxied.node().awaitNothingHeld();
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> proxied.postgres()
                            .rows(
                                    "select pid from pg_stat_activity where usename = ? and state <> 'idle'",
                                    proxied.name())
                            .isEmpty());
            Map<String, Integer> found = new ConcurrentHashMap<>();
            try (RawClient client = client(proxied)) {
                client.query("select token, count(*) from storm group by token")
                        .forEach(row -> found.put(row.getFirst(), Integer.valueOf(row.getLast())));
            }
            assertThat(found).as("seed %s", seed).isEqualTo(expected);
        }
    }

    private static RawClient client(Proxied proxied) {
        return RawClient.connects(proxied.node().host(), proxied.node().port())
                .logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
    }

    private void copies(Proxied proxied, int number) {
        Random random = new Random(seed + number);
        RawClient client = client(proxied);
        for (int round = 0; round < ROUNDS; round++) {
            String token = number + "/" + round;
            if (converse(client, token, random)) {
                assertThat(client.query("select 'after " + token + "'"))
                        .as("seed %s", seed)
                        .containsExactly(List.of("after " + token));
            } else {
                client = client(proxied);
            }
        }
        client.terminates();
    }

    /// One of the ways to copy.
    ///
    /// @return whether the client is still there
    private boolean converse(RawClient client, String token, Random random) {
        String copy = "copy storm from stdin";
        FrontendMessage[] extended = {new Parse("", copy, List.of()), RawClient.bind("", ""), new Execute("", 0)};
        switch (random.nextInt(13)) {
            case 0 -> {
                begins(client, copy);
                sendsLines(client, token, LINES);
                client.sendsCopyDone();
                succeeds(client, token, LINES);
            }
            case 1 -> {
                begins(client, copy);
                sendsLines(client, token, LINES);
                client.sends(new CopyFail("no more"));
                fails(client, "57014");
            }
            case 2 -> {
                // The error comes while more is on its way.
                begins(client, copy);
                client.sendsCopyData(token + "\tnot a number\n");
                sendsLines(client, token, LINES);
                client.sendsCopyDone();
                fails(client, "22P02");
            }
            case 3 -> {
                // The error comes when all has been said, because the last line lacks a column.
                begins(client, copy);
                sendsLines(client, token, LINES);
                client.sends(copyData(token + "\n"), new CopyDone());
                fails(client, "22P04");
            }
            case 4 -> {
                client.sends(
                        new Query(copy),
                        copyData(lines(token, LINES)),
                        new CopyDone(),
                        new Query("select '" + token + "'"));
                client.expects(CopyInResponse.class);
                succeeds(client, token, LINES);
                expectsToken(client, token);
            }
            case 5 -> {
                client.sends(new Query(copy + "; " + copy + "; select '" + token + "'"));
                for (int i = 0; i < 2; i++) {
                    client.expects(CopyInResponse.class);
                    sendsLines(client, token, LINES);
                    client.sends(new Sync(), new Flush(), new CopyDone());
                    client.expectsCommandComplete("COPY " + LINES);
                }
                expected.put(token, 2 * LINES);
                expectsToken(client, token);
            }
            case 6 -> {
                client.sends(extended).sendsFlush();
                beginsExtended(client);
                sendsLines(client, token, LINES);
                client.sends(new CopyDone(), new Sync());
                succeeds(client, token, LINES);
            }
            case 7 -> {
                client.sends(concat(extended, copyData(lines(token, LINES)), new CopyDone(), new Sync()));
                beginsExtended(client);
                succeeds(client, token, LINES);
            }
            case 8 -> {
                // A Sync among the data is data to PostgreSQL; the one that counts comes later.
                client.sends(extended).sendsFlush();
                beginsExtended(client);
                client.sends(copyData(lines(token, LINES)), new Sync(), new Flush(), copyData(lines(token, LINES)));
                client.sends(new CopyDone(), new Sync());
                succeeds(client, token, 2 * LINES);
            }
            case 9 -> {
                client.sends(extended).sendsFlush();
                beginsExtended(client);
                client.sendsCopyData(token + "\tnot a number\n");
                sendsLines(client, token, LINES);
                client.sends(new CopyDone(), new Sync());
                fails(client, "22P02");
            }
            case 10 -> {
                int rows = 200 + random.nextInt(3_000);
                client.sendsQuery("copy (select '" + token + "', n from generate_series(1, " + rows + ") n) to stdout");
                int[] seen = {0};
                client.reads((type, body) -> {
                    if (type == 'd') {
                        assertThat(body.toString(StandardCharsets.UTF_8)).isEqualTo(token + "\t" + ++seen[0] + "\n");
                    }
                    return type != 'Z';
                });
                assertThat(seen[0]).isEqualTo(rows);
            }
            case 11 -> {
                begins(client, copy);
                sendsLines(client, token, LINES);
                return leaves(client, random);
            }
            default -> {
                client.sendsQuery("copy (select '" + token + "' from generate_series(1, 200000)) to stdout");
                client.skips(random.nextInt(100_000));
                return leaves(client, random);
            }
        }
        return true;
    }

    private static boolean leaves(RawClient client, Random random) {
        switch (random.nextInt(3)) {
            case 0 -> client.closes();
            case 1 -> client.resets();
            default -> client.terminates();
        }
        return false;
    }

    private static void begins(RawClient client, String copy) {
        client.sendsQuery(copy);
        client.expects(CopyInResponse.class);
    }

    private static void beginsExtended(RawClient client) {
        client.expects(ParseComplete.class);
        client.expects(BindComplete.class);
        client.expects(CopyInResponse.class);
    }

    private void succeeds(RawClient client, String token, int lines) {
        client.expectsCommandComplete("COPY " + lines);
        client.expectsReadyForQuery(IDLE);
        expected.put(token, lines);
    }

    private static void fails(RawClient client, String sqlState) {
        client.expectsError(sqlState);
        client.expectsReadyForQuery(IDLE);
    }

    private static void expectsToken(RawClient client, String token) {
        client.expects(org.pgporter.protocol.message.RowDescription.class);
        client.expectsRow(token);
        client.expectsCommandComplete("SELECT 1");
        client.expectsReadyForQuery(IDLE);
    }

    private static void sendsLines(RawClient client, String token, int lines) {
        for (int n = 0; n < lines; n += 10) {
            client.sendsCopyData(lines(token, 10));
        }
    }

    private static String lines(String token, int count) {
        return (token + "\t7\n").repeat(count);
    }

    private static FrontendMessage[] concat(FrontendMessage[] first, FrontendMessage... then) {
        List<FrontendMessage> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(then));
        return all.toArray(FrontendMessage[]::new);
    }
}
