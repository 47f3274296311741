package org.pgporter.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Cursor;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.PreparedStatement;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowIterator;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.RowStream;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.Transaction;
import io.vertx.sqlclient.Tuple;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.pgporter.drivers.Workers.Worker;

/// The Vert.x PostgreSQL client, which sends queries on one connection without waiting for answers.
class VertxIT {
    private static final int SECONDS_AT_MOST = 60;
    private static final String INSERT = "insert into things (worker, token) values ($1, $2)";

    private static PgConnectOptions connectOptions(Served served) {
        return new PgConnectOptions()
                .setHost(served.host())
                .setPort(served.port())
                .setUser(served.name())
                .setPassword(Served.PASSWORD)
                .setDatabase(served.name());
    }

    private static <T> T await(Future<T> future) throws Exception {
        try {
            return future.toCompletionStage().toCompletableFuture().get(SECONDS_AT_MOST, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    @Test
    void shouldServeAnApplication() throws Exception {
        try (Served served = Served.start("driver_vertx")) {
            Vertx vertx = Vertx.vertx();
            try {
                Pool pool = PgBuilder.pool()
                        .with(new PoolOptions().setMaxSize(Served.CONNECTIONS))
                        .connectingTo(connectOptions(served))
                        .using(vertx)
                        .build();
                await(pool.query("create table things (worker int, token text unique, note text)")
                        .execute());
                new Workers().work(Served.CONNECTIONS, worker -> {
                    Client client =
                            new Client(worker, pool, await(PgConnection.connect(vertx, connectOptions(served))));
                    return new Workers.Thing[] {
                        client::asksAgainAndAgain,
                        client::asksAtOnce,
                        client::namesItself,
                        client::preparesByHand,
                        client::rollsBack,
                        client::goesBackToASavepoint,
                        client::goesOnAfterErrors,
                        client::failsInTheMiddle,
                        client::sendsBatches,
                        client::readsByPortions,
                        client::streams,
                        client::passesTypes,
                        client::passesLargeValues,
                        client::cancels,
                        client::listens,
                    };
                });
                await(pool.close());
            } finally {
                await(vertx.close());
            }
        }
    }

    /// Has a connection of its own, and a pool that it shares with the others.
    private record Client(Worker worker, Pool pool, PgConnection own) {
        private Future<String> question(SqlClient on) {
            String token = worker.token();
            return on.preparedQuery("select $1::text, pg_backend_pid()")
                    .execute(Tuple.of(token))
                    .map(rows -> {
                        Row row = rows.iterator().next();
                        worker.answered(token, row.getString(0), row.getInteger(1));
                        return token;
                    });
        }

        private Future<RowSet<Row>> insert(SqlClient on, String token) {
            return on.preparedQuery(INSERT).execute(Tuple.of(worker.number(), token));
        }

        private Future<Long> count(SqlClient on, String... tokens) {
            return on.preparedQuery("select count(*) from things where token = any($1)")
                    .execute(Tuple.of(tokens))
                    .map(rows -> rows.iterator().next().getLong(0));
        }

        private static void fails(String state, Future<?> future) {
            assertThatThrownBy(() -> await(future))
                    .isInstanceOfSatisfying(
                            PgException.class,
                            it -> assertThat(it.getSqlState()).isEqualTo(state));
        }

        void asksAgainAndAgain() throws Exception {
            for (int i = 0; i < 10; i++) {
                await(question(own));
                await(question(pool));
            }
        }

        void asksAtOnce() throws Exception {
            List<Future<String>> asked = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                asked.add(question(i % 2 == 0 ? own : pool));
            }
            await(Future.all(asked));
        }

        void namesItself() throws Exception {
            String name = "client " + worker.number();
            await(own.query("set application_name = '" + name + "'").execute());
            await(own.query("set timezone = 'Asia/Kathmandu'").execute());
            await(own.query("set work_mem = '" + (100 + worker.number()) + "kB'")
                    .execute());
            for (int i = 0; i < 8; i++) {
                assertThat(await(own.query("show work_mem").execute())
                                .iterator()
                                .next()
                                .getString(0))
                        .isEqualTo(100 + worker.number() + "kB");
                assertThat(await(own.query("show application_name").execute())
                                .iterator()
                                .next()
                                .getString(0))
                        .isEqualTo(name);
                assertThat(await(own.preparedQuery("select current_setting($1)").execute(Tuple.of("timezone")))
                                .iterator()
                                .next()
                                .getString(0))
                        .isEqualTo("Asia/Kathmandu");
            }
        }

        void preparesByHand() throws Exception {
            PreparedStatement statement = await(own.prepare("select $1::int + " + worker.number() + ", $2::text"));
            List<Future<?>> asked = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int number = i;
                String token = worker.token();
                asked.add(statement.query().execute(Tuple.of(number, token)).onSuccess(rows -> {
                    Row row = rows.iterator().next();
                    worker.answered(token, row.getString(1));
                    assertThat(row.getInteger(0)).isEqualTo(number + worker.number());
                }));
            }
            await(Future.all(asked));
            await(statement.close());
        }

        void rollsBack() throws Exception {
            String token = worker.token();
            Transaction transaction = await(own.begin());
            await(insert(own, token));
            assertThat(await(count(own, token))).isEqualTo(1);
            await(transaction.rollback());
            assertThat(await(count(own, token))).isZero();
            assertThatThrownBy(() -> await(pool.withTransaction(connection -> insert(connection, token)
                            .compose(_ -> Future.failedFuture("the application changes its mind")))))
                    .hasMessage("the application changes its mind");
            assertThat(await(count(pool, token))).isZero();
        }

        void goesBackToASavepoint() throws Exception {
            String kept = worker.token();
            String lost = worker.token();
            await(own.query("begin").execute());
            await(insert(own, kept));
            await(own.query("savepoint here").execute());
            await(insert(own, lost));
            fails("23505", insert(own, kept));
            fails("25P02", question(own));
            await(own.query("rollback to savepoint here").execute());
            await(question(own));
            await(own.query("commit").execute());
            assertThat(await(count(own, kept, lost))).isEqualTo(1);
        }

        void goesOnAfterErrors() throws Exception {
            String token = worker.token();
            await(insert(own, token));
            for (int i = 0; i < 5; i++) {
                fails("23505", insert(own, token));
                fails("42601", own.query("selekt 1").execute());
                fails("42601", own.preparedQuery("selekt $1").execute(Tuple.of(1)));
                fails("22012", own.preparedQuery("select 1 / $1::int").execute(Tuple.of(0)));
                await(question(own));
            }
        }

        /// What was sent behind a query that fails is answered all the same.
        void failsInTheMiddle() throws Exception {
            List<Future<?>> asked = new ArrayList<>();
            List<Future<?>> failing = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                asked.add(question(own));
                if (i % 10 == 5) {
                    failing.add(own.preparedQuery("select 1 / $1::int").execute(Tuple.of(0)));
                    failing.add(own.query("select 1 / 0").execute());
                }
            }
            await(Future.all(asked));
            failing.forEach(it -> fails("22012", it));
        }

        void sendsBatches() throws Exception {
            List<Tuple> rows = IntStream.range(0, 200)
                    .mapToObj(_ -> Tuple.of(worker.number(), worker.token()))
                    .toList();
            RowSet<Row> result =
                    await(own.preparedQuery(INSERT + " returning token").executeBatch(rows));
            for (Tuple sent : rows) {
                RowIterator<Row> returned = result.iterator();
                assertThat(returned.next().getString(0)).isEqualTo(sent.getString(1));
                result = result.next();
            }
            String lost = worker.token();
            fails(
                    "23505",
                    own.preparedQuery(INSERT)
                            .executeBatch(List.of(
                                    Tuple.of(worker.number(), lost),
                                    rows.getFirst(),
                                    Tuple.of(worker.number(), worker.token()))));
            await(question(own));
        }

        void readsByPortions() throws Exception {
            String token = worker.token();
            Transaction transaction = await(own.begin());
            PreparedStatement statement = await(own.prepare("select n, $1::text from generate_series(1, 100) n"));
            Cursor cursor = statement.cursor(Tuple.of(token));
            int last = 0;
            do {
                for (Row row : await(cursor.read(7))) {
                    assertThat(row.getInteger(0)).isEqualTo(++last);
                    worker.answered(token, row.getString(1));
                }
                await(question(own));
            } while (cursor.hasMore());
            assertThat(last).isEqualTo(100);
            await(cursor.close());
            await(statement.close());
            await(transaction.commit());
        }

        void streams() throws Exception {
            await(pool.withTransaction(connection -> connection
                    .prepare("select n from generate_series(1, 500) n")
                    .compose(statement -> {
                        RowStream<Row> stream = statement.createStream(50, Tuple.tuple());
                        List<Integer> numbers = new ArrayList<>();
                        return Future.<Void>future(promise -> stream.exceptionHandler(promise::tryFail)
                                        .endHandler(_ -> promise.tryComplete())
                                        .handler(row -> numbers.add(row.getInteger(0))))
                                .onSuccess(_ -> assertThat(numbers).hasSize(500));
                    })));
        }

        void passesTypes() throws Exception {
            OffsetDateTime moment = OffsetDateTime.of(2026, 1, 2, 3, 4, 5, 678_901_000, ZoneOffset.UTC);
            Buffer bytes = Buffer.buffer();
            for (int i = 0; i < 256; i++) {
                bytes.appendByte((byte) i);
            }
            Row row = await(own.preparedQuery(
                                    "select $1::int[], $2::text[], $3::jsonb, $4::timestamptz, $5::date, $6::numeric,"
                                            + " $7::uuid, $8::bytea, $9::text, $10::float8, $11::bool")
                            .execute(Tuple.tuple()
                                    .addValue(new Integer[] {1, null, worker.number()})
                                    .addValue(new String[] {"a", "with \"quotes\"", null})
                                    .addValue(new JsonObject().put("worker", worker.number()))
                                    .addValue(moment)
                                    .addValue(LocalDate.of(2026, 2, 28))
                                    .addValue(new BigDecimal("12345678901234567890.0987654321"))
                                    .addValue(new UUID(0, worker.number()))
                                    .addValue(bytes)
                                    .addValue(null)
                                    .addValue(Double.NEGATIVE_INFINITY)
                                    .addValue(true)))
                    .iterator()
                    .next();
            assertThat(row.getArrayOfIntegers(0)).containsExactly(1, null, worker.number());
            assertThat(row.getArrayOfStrings(1)).containsExactly("a", "with \"quotes\"", null);
            assertThat(row.getJsonObject(2)).isEqualTo(new JsonObject().put("worker", worker.number()));
            assertThat(row.getOffsetDateTime(3)).isEqualTo(moment);
            assertThat(row.getLocalDate(4)).isEqualTo("2026-02-28");
            assertThat(row.getBigDecimal(5)).isEqualTo("12345678901234567890.0987654321");
            assertThat(row.getUUID(6)).isEqualTo(new UUID(0, worker.number()));
            assertThat(row.getBuffer(7)).isEqualTo(bytes);
            assertThat(row.getValue(8)).isNull();
            assertThat(row.getDouble(9)).isEqualTo(Double.NEGATIVE_INFINITY);
            assertThat(row.getBoolean(10)).isTrue();
        }

        void passesLargeValues() throws Exception {
            String text = worker.token() + "é".repeat(300_000);
            String answer = await(own.preparedQuery("select $1::text").execute(Tuple.of(text)))
                    .iterator()
                    .next()
                    .getString(0);
            assertThat(answer.equals(text)).isTrue();
        }

        /// Who listens hears what was said, and nobody else.
        void listens() throws Exception {
            if (!worker.mayWait()) {
                return;
            }
            String channel = "channel_" + worker.number();
            BlockingQueue<String> heard = new LinkedBlockingQueue<>();
            own.notificationHandler(it -> heard.add(it.getChannel() + " " + it.getPayload()));
            await(own.query("listen " + channel).execute());
            for (int i = 0; i < 5; i++) {
                String token = worker.token();
                await(pool.preparedQuery("select pg_notify($1, $2)").execute(Tuple.of(channel, token)));
                assertThat(heard.poll(SECONDS_AT_MOST, TimeUnit.SECONDS)).isEqualTo(channel + " " + token);
            }
            await(own.query("unlisten " + channel).execute());
            await(question(own));
        }

        /// Cancels when PostgreSQL says that it sleeps.
        void cancels() throws Exception {
            if (!worker.mayWait()) {
                return;
            }
            String name = "sleeper " + worker.token();
            Future<RowSet<Row>> sleeps =
                    own.query("select pg_sleep(60), '" + name + "'").execute();
            boolean asleep;
            do {
                asleep = await(pool.preparedQuery("select exists (select from pg_stat_activity where query like $1"
                                        + " and wait_event = 'PgSleep')")
                                .execute(Tuple.of("%" + name + "%")))
                        .iterator()
                        .next()
                        .getBoolean(0);
            } while (!asleep);
            await(own.cancelRequest());
            fails("57014", sleeps);
            await(question(own));
        }
    }
}
