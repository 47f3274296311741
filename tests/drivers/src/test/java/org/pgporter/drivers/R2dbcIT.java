package org.pgporter.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.Unpooled;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.postgresql.codec.Json;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.Wrapped;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.pgporter.drivers.Workers.Worker;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/// r2dbc-postgresql behind r2dbc-pool: more subscribers than the driver's pool has connections, and more of those than
/// the node has backends.
class R2dbcIT {
    private static final int SUBSCRIBERS = 2 * Served.CONNECTIONS;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String INSERT = "insert into things (worker, token) values ($1, $2)";

    private static ConnectionPool pool(Served served) {
        var factory = new PostgresqlConnectionFactory(PostgresqlConnectionConfiguration.builder()
                .host(served.host())
                .port(served.port())
                .username(served.name())
                .password(Served.PASSWORD)
                .database(served.name())
                .build());
        return new ConnectionPool(ConnectionPoolConfiguration.builder(factory)
                .maxSize(Served.CONNECTIONS)
                .build());
    }

    @Test
    void shouldServeAnApplication() {
        try (Served served = Served.start("driver_r2dbc")) {
            ConnectionPool pool = pool(served);
            try {
                Mono.usingWhen(
                                pool.create(),
                                connection -> Flux.from(connection
                                                .createStatement(
                                                        "create table things (worker int, token text unique, note text)")
                                                .execute())
                                        .flatMap(result -> result.getRowsUpdated())
                                        .then(),
                                Connection::close)
                        .block(PATIENCE);
                new Workers().work(SUBSCRIBERS, worker -> {
                    Subscriber subscriber = new Subscriber(worker, pool);
                    return new Workers.Thing[] {
                        subscriber::asksAgainAndAgain,
                        subscriber::asksEverywhereAtOnce,
                        subscriber::namesItself,
                        subscriber::rollsBack,
                        subscriber::goesBackToASavepoint,
                        subscriber::goesOnAfterErrors,
                        subscriber::bindsManyTimes,
                        subscriber::sendsBatches,
                        subscriber::copies,
                        subscriber::readsByPortions,
                        subscriber::leavesEarly,
                        subscriber::passesTypes,
                        subscriber::passesLargeValues,
                        subscriber::cancels,
                        subscriber::listens,
                    };
                });
            } finally {
                pool.close().block(PATIENCE);
            }
        }
    }

    /// Takes a connection for each thing it does, and waits until the thing is done.
    private record Subscriber(Worker worker, ConnectionPool pool) {
        private <T> List<T> with(Function<Connection, Publisher<T>> use) {
            return Flux.usingWhen(pool.create(), use, Connection::close)
                    .collectList()
                    .blockOptional(PATIENCE)
                    .orElseThrow();
        }

        private static <T> Flux<T> rows(Statement statement, Function<Row, T> read) {
            return Flux.from(statement.execute()).concatMap(result -> result.map((row, _) -> read.apply(row)));
        }

        private static <T> T value(Row row, int index, Class<T> type) {
            return Objects.requireNonNull(row.get(index, type));
        }

        private static Flux<Long> updated(Publisher<? extends io.r2dbc.spi.Result> results) {
            return Flux.from(results).concatMap(result -> result.getRowsUpdated());
        }

        private Mono<String> question(Connection connection) {
            return Mono.defer(() -> {
                String token = worker.token();
                return rows(
                                connection
                                        .createStatement("select $1::text, pg_backend_pid()")
                                        .bind("$1", token),
                                row -> {
                                    worker.answered(token, value(row, 0, String.class), value(row, 1, Integer.class));
                                    return token;
                                })
                        .single();
            });
        }

        private Mono<Long> insert(Connection connection, String token) {
            return updated(connection
                            .createStatement(INSERT)
                            .bind("$1", worker.number())
                            .bind("$2", token)
                            .execute())
                    .single();
        }

        private static Mono<Long> count(Connection connection, String... tokens) {
            return rows(
                            connection
                                    .createStatement("select count(*) from things where token = any($1)")
                                    .bind("$1", tokens),
                            row -> value(row, 0, Long.class))
                    .single();
        }

        private static void fails(String state, ThrowingCallable what) {
            assertThatExceptionOfType(R2dbcException.class)
                    .isThrownBy(what)
                    .satisfies(it -> assertThat(it.getSqlState()).isEqualTo(state));
        }

        /// Expects an error and goes on as if nothing had happened.
        private static Mono<Void> failing(String state, Publisher<?> what) {
            return Flux.from(what)
                    .then(Mono.error(new AssertionError("expected an error " + state)))
                    .onErrorResume(
                            R2dbcException.class, it -> state.equals(it.getSqlState()) ? Mono.empty() : Mono.error(it))
                    .then();
        }

        void asksAgainAndAgain() {
            List<String> answers = with(connection -> question(connection).repeat(9));
            assertThat(answers).hasSize(10);
        }

        /// Many at one time, on whatever connections are free, and some of them on one connection, which queues them.
        void asksEverywhereAtOnce() {
            assertThat(Flux.range(0, 20)
                            .flatMap(_ -> Flux.usingWhen(pool.create(), this::question, Connection::close))
                            .collectList()
                            .block(PATIENCE))
                    .hasSize(20);
            assertThat(with(connection -> Flux.range(0, 20).flatMap(_ -> question(connection), 20)))
                    .hasSize(20);
        }

        void namesItself() {
            String name = "subscriber " + worker.number();
            List<String> names = with(connection -> Flux.concat(
                    updated(connection
                                    .createStatement("set application_name = '" + name + "'")
                                    .execute())
                            .thenMany(Flux.empty()),
                    rows(connection.createStatement("show application_name"), row -> value(row, 0, String.class))
                            .repeat(7),
                    updated(connection.createStatement("reset application_name").execute())
                            .thenMany(Flux.empty())));
            assertThat(names).hasSize(8).containsOnly(name);
        }

        void rollsBack() {
            String token = worker.token();
            List<Object> seen = with(connection -> Flux.concat(
                    Mono.from(connection.setTransactionIsolationLevel(IsolationLevel.SERIALIZABLE))
                            .then(Mono.empty()),
                    Mono.from(connection.beginTransaction()).then(Mono.empty()),
                    insert(connection, token),
                    count(connection, token),
                    rows(connection.createStatement("show transaction_isolation"), row -> value(row, 0, String.class)),
                    Mono.from(connection.rollbackTransaction()).then(Mono.empty()),
                    count(connection, token),
                    Mono.from(connection.setTransactionIsolationLevel(IsolationLevel.READ_COMMITTED))
                            .then(Mono.empty())));
            assertThat(seen).containsExactly(1L, 1L, "serializable", 0L);
        }

        void goesBackToASavepoint() {
            String kept = worker.token();
            String lost = worker.token();
            List<Object> seen = with(connection -> Flux.concat(
                    Mono.from(connection.beginTransaction()).then(Mono.empty()),
                    insert(connection, kept),
                    Mono.from(connection.createSavepoint("here")).then(Mono.empty()),
                    insert(connection, lost),
                    failing("23505", insert(connection, kept)),
                    failing("25P02", question(connection)),
                    Mono.from(connection.rollbackTransactionToSavepoint("here")).then(Mono.empty()),
                    question(connection).then(Mono.empty()),
                    Mono.from(connection.commitTransaction()).then(Mono.empty()),
                    count(connection, kept, lost)));
            assertThat(seen).containsExactly(1L, 1L, 1L);
        }

        void goesOnAfterErrors() {
            String token = worker.token();
            List<String> answers = with(connection -> insert(connection, token)
                    .thenMany(Flux.range(0, 8)
                            .concatMap(_ -> Flux.concat(
                                    failing("23505", insert(connection, token)).then(Mono.empty()),
                                    failing("42601", rows(connection.createStatement("selekt 1"), row -> row))
                                            .then(Mono.empty()),
                                    failing(
                                                    "22012",
                                                    rows(
                                                            connection
                                                                    .createStatement("select 1 / $1::int")
                                                                    .bind("$1", 0),
                                                            row -> row))
                                            .then(Mono.empty()),
                                    question(connection)))));
            assertThat(answers).hasSize(8);
            fails(
                    "22P02",
                    () -> with(connection ->
                            rows(connection.createStatement("select 'x'::int"), row -> value(row, 0, Integer.class))));
        }

        /// One statement with many bindings: the driver sends them one after the other.
        void bindsManyTimes() {
            List<String> tokens =
                    IntStream.range(0, 50).mapToObj(_ -> worker.token()).toList();
            List<String> returned = with(connection -> {
                Statement statement = connection.createStatement(INSERT).returnGeneratedValues("token");
                for (int i = 0; i < tokens.size(); i++) {
                    statement.bind("$1", worker.number()).bind("$2", tokens.get(i));
                    if (i < tokens.size() - 1) {
                        statement.add();
                    }
                }
                return rows(statement, row -> value(row, 0, String.class));
            });
            assertThat(returned).isEqualTo(tokens);
        }

        void sendsBatches() {
            String token = worker.token();
            List<String> answers = with(connection -> Flux.from(connection
                            .createBatch()
                            .add("select '" + token + " first'")
                            .add("select '" + token + " second'")
                            .execute())
                    .concatMap(result -> result.map((row, _) -> value(row, 0, String.class))));
            assertThat(answers).containsExactly(token + " first", token + " second");
        }

        void copies() {
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < 500; i++) {
                lines.append(worker.number())
                        .append('\t')
                        .append(worker.token())
                        .append('\n');
            }
            List<Long> copied = with(connection -> {
                PostgresqlConnection own = unwrapped(connection);
                return own.copyIn(
                        "copy things (worker, token) from stdin",
                        Mono.fromSupplier(
                                () -> Unpooled.wrappedBuffer(lines.toString().getBytes(StandardCharsets.US_ASCII))));
            });
            assertThat(copied).containsExactly(500L);
            fails(
                    "23505",
                    () -> with(connection -> unwrapped(connection)
                            .copyIn(
                                    "copy things (worker, token) from stdin",
                                    Mono.fromSupplier(() -> Unpooled.wrappedBuffer(
                                            lines.toString().getBytes(StandardCharsets.US_ASCII))))));
            assertThat(with(connection -> count(connection, lines.toString().split("[\t\n]"))))
                    .containsExactly(500L);
        }

        private static PostgresqlConnection unwrapped(Connection connection) {
            return (PostgresqlConnection) ((Wrapped<?>) connection).unwrap();
        }

        void readsByPortions() {
            String token = worker.token();
            for (int fetchSize : new int[] {7, 100}) {
                List<Integer> numbers = with(connection -> Flux.concat(
                        Mono.from(connection.beginTransaction()).then(Mono.empty()),
                        rows(
                                connection
                                        .createStatement("select n, $1::text from generate_series(1, 100) n")
                                        .bind("$1", token)
                                        .fetchSize(fetchSize),
                                row -> {
                                    worker.answered(token, value(row, 1, String.class));
                                    return value(row, 0, Integer.class);
                                }),
                        Mono.from(connection.commitTransaction()).then(Mono.empty())));
                assertThat(numbers)
                        .containsExactlyElementsOf(
                                IntStream.rangeClosed(1, 100).boxed().toList());
            }
        }

        /// Outside a transaction too: the driver closes the portal and synchronizes.
        void leavesEarly() {
            List<Integer> numbers = with(connection -> Flux.concat(
                    rows(
                                    connection
                                            .createStatement("select n from generate_series(1, $1::int) n")
                                            .bind("$1", 10_000)
                                            .fetchSize(20),
                                    row -> value(row, 0, Integer.class))
                            .take(30),
                    question(connection).then(Mono.empty())));
            assertThat(numbers).hasSize(30);
        }

        void passesTypes() {
            OffsetDateTime moment = OffsetDateTime.of(2026, 1, 2, 3, 4, 5, 678_901_000, ZoneOffset.UTC);
            byte[] bytes = new byte[256];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) i;
            }
            List<Boolean> checked = with(connection -> rows(
                    connection
                            .createStatement(
                                    "select $1::int[], $2::text[], $3::jsonb, $4::timestamptz, $5::date, $6::numeric,"
                                            + " $7::uuid, $8::bytea, $9::text, $10::float8, $11::bool")
                            .bind("$1", new Integer[] {1, null, worker.number()})
                            .bind("$2", new String[] {"a", "with \"quotes\"", null})
                            .bind("$3", Json.of("{\"worker\": " + worker.number() + "}"))
                            .bind("$4", moment)
                            .bind("$5", LocalDate.of(2026, 2, 28))
                            .bind("$6", new BigDecimal("12345678901234567890.0987654321"))
                            .bind("$7", new UUID(0, worker.number()))
                            .bind("$8", ByteBuffer.wrap(bytes))
                            .bindNull("$9", String.class)
                            .bind("$10", Double.NEGATIVE_INFINITY)
                            .bind("$11", true),
                    row -> {
                        assertThat(value(row, 0, Integer[].class)).containsExactly(1, null, worker.number());
                        assertThat(value(row, 1, String[].class)).containsExactly("a", "with \"quotes\"", null);
                        assertThat(value(row, 2, String.class)).isEqualTo("{\"worker\": " + worker.number() + "}");
                        assertThat(value(row, 3, OffsetDateTime.class).isEqual(moment))
                                .isTrue();
                        assertThat(value(row, 4, LocalDate.class)).isEqualTo("2026-02-28");
                        assertThat(value(row, 5, BigDecimal.class)).isEqualTo("12345678901234567890.0987654321");
                        assertThat(value(row, 6, UUID.class)).isEqualTo(new UUID(0, worker.number()));
                        assertThat(value(row, 7, byte[].class)).isEqualTo(bytes);
                        assertThat(row.get(8)).isNull();
                        assertThat(value(row, 9, Double.class)).isEqualTo(Double.NEGATIVE_INFINITY);
                        assertThat(value(row, 10, Boolean.class)).isTrue();
                        return true;
                    }));
            assertThat(checked).containsExactly(true);
        }

        void passesLargeValues() {
            String text = worker.token() + "é".repeat(300_000);
            List<Boolean> same = with(connection -> rows(
                    connection.createStatement("select $1::text").bind("$1", text),
                    row -> text.equals(value(row, 0, String.class))));
            assertThat(same).containsExactly(true);
        }

        /// Who listens hears what was said, and nobody else.
        void listens() {
            if (!worker.mayWait()) {
                return;
            }
            String channel = "channel_" + worker.number();
            String token = worker.token();
            List<String> heard = with(connection -> {
                PostgresqlConnection own = unwrapped(connection);
                Flux<String> notifications = own.getNotifications().map(it -> it.getName() + " " + it.getParameter());
                Mono<String> first = notifications.next();
                return updated(own.createStatement("listen " + channel).execute())
                        .then(Mono.zip(
                                first,
                                Flux.usingWhen(
                                                pool.create(),
                                                other -> rows(
                                                        other.createStatement("select pg_notify($1, $2)")
                                                                .bind("$1", channel)
                                                                .bind("$2", token),
                                                        row -> true),
                                                Connection::close)
                                        .then(Mono.just(true))))
                        .map(both -> both.getT1())
                        .flatMap(it -> updated(own.createStatement("unlisten *").execute())
                                .then(question(connection))
                                .thenReturn(it));
            });
            assertThat(heard).containsExactly(channel + " " + token);
        }

        /// Cancels when PostgreSQL says that it sleeps.
        void cancels() {
            if (!worker.mayWait()) {
                return;
            }
            String name = "sleeper " + worker.token();
            List<String> answers = with(connection -> {
                Mono<Boolean> asleep = Flux.usingWhen(
                                pool.create(),
                                other -> rows(
                                        other.createStatement("select exists (select from pg_stat_activity"
                                                        + " where query like $1 and wait_event = 'PgSleep')")
                                                .bind("$1", "%" + name + "%"),
                                        row -> value(row, 0, Boolean.class)),
                                Connection::close)
                        .single()
                        .repeat()
                        .filter(it -> it)
                        .next();
                Mono<Void> sleeps = failing(
                        "57014", rows(connection.createStatement("select pg_sleep(60), '" + name + "'"), row -> row));
                return Mono.when(sleeps, asleep.then(unwrapped(connection).cancelRequest()))
                        .then(question(connection));
            });
            assertThat(answers).hasSize(1);
        }
    }
}
