package org.pgporter.node.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.node.pool.PoolRegistry.Kind;

class CommandReaderTest {
    static Stream<Arguments> commands() {
        return Stream.of(
                Arguments.of("SHOW POOLS", new Command.ShowTable(Show.POOLS)),
                Arguments.of("  show\n pools ; ", new Command.ShowTable(Show.POOLS)),
                Arguments.of("SELECT pools", new Command.ShowTable(Show.POOLS)),
                Arguments.of("/* app */ SHOW stats -- now", new Command.ShowTable(Show.STATS)),
                Arguments.of("SHOW", new Command.ShowTable(Show.HELP)),
                Arguments.of("show client_encoding", new Command.ShowParameter("client_encoding")),
                Arguments.of("SHOW TRANSACTION ISOLATION LEVEL", new Command.ShowParameter("transaction_isolation")),
                Arguments.of("select 1", new Command.Select(new Column("?column?", ColumnType.INT4), "1")),
                Arguments.of("BEGIN", new Command.Transaction("BEGIN", true)),
                Arguments.of("start transaction read only", new Command.Transaction("START TRANSACTION", true)),
                Arguments.of("END", new Command.Transaction("COMMIT", false)),
                Arguments.of("DISCARD ALL", new Command.Ignored("DISCARD ALL")),
                Arguments.of("SET extra_float_digits = 3", new Command.Set("extra_float_digits", "3")),
                Arguments.of("set session DateStyle to 'ISO'", new Command.Set("DateStyle", "ISO")),
                Arguments.of(
                        "SET log_level = 'org.pgporter=debug'", new Command.Set("log_level", "org.pgporter=debug")),
                Arguments.of("SET TIME ZONE 'UTC'", new Command.Ignored("SET")),
                Arguments.of("PAUSE", new Command.OfPools(Kind.PAUSE, Optional.empty())),
                Arguments.of("PAUSE shop", new Command.OfPools(Kind.PAUSE, Optional.of("shop"))),
                Arguments.of(
                        "resume \"My \"\"Shop\"\"\"", new Command.OfPools(Kind.RESUME, Optional.of("My \"Shop\""))),
                Arguments.of("RECONNECT a-b.c", new Command.OfPools(Kind.RECONNECT, Optional.of("a-b.c"))),
                Arguments.of("WAIT_CLOSE", new Command.OfPools(Kind.WAIT_CLOSE, Optional.empty())),
                Arguments.of("DISABLE shop", new Command.OfPools(Kind.DISABLE, Optional.of("shop"))),
                Arguments.of("KILL", new Command.Kill(Optional.empty())),
                Arguments.of("KILL_CLIENT 17", new Command.KillClient("17")),
                Arguments.of("SHUTDOWN", new Command.Shutdown(Operations.Shutdown.AT_ONCE)),
                Arguments.of("SHUTDOWN WAIT_FOR_CLIENTS", new Command.Shutdown(Operations.Shutdown.WAIT_FOR_CLIENTS)),
                Arguments.of("RELOAD;", new Command.Reload()),
                Arguments.of(
                        "INVALIDATE AUTH shop ann",
                        new Command.InvalidateAuth(Optional.of("shop"), Optional.of("ann"))));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void shouldRead(String sql, Object command) {
        assertThat(CommandReader.read(sql)).isEqualTo(List.of(command));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", ";", ";;", "-- ping", "/* nothing */", "/* no end"})
    void shouldTakeATextWithoutAWordAsOneEmptyCommand(String sql) {
        assertThat(CommandReader.read(sql)).isEqualTo(List.of(new Command.Empty()));
    }

    @Test
    void shouldReadSeveralCommandsOfOneText() {
        assertThat(CommandReader.read("begin; show version;; show 'x;y'; commit"))
                .hasSize(4)
                .startsWith(new Command.Transaction("BEGIN", true), new Command.ShowTable(Show.VERSION))
                .endsWith(new Command.Transaction("COMMIT", false));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SHOW POLS               | invalid command 'SHOW POLS', use SHOW HELP;         | Did you mean SHOW POOLS?",
                "show clinets            | invalid command 'show clinets', use SHOW HELP;      | Did you mean SHOW CLIENTS?",
                "SHWO pools              | invalid command 'SHWO pools', use SHOW HELP;        | Did you mean SHOW?",
                "RELAOD                  | invalid command 'RELAOD', use SHOW HELP;            | Did you mean RELOAD?",
                "SHUTDOWN WAIT_FOR_SERVER| invalid command 'SHUTDOWN WAIT_FOR_SERVER', use SHOW HELP; | Did you mean SHUTDOWN WAIT_FOR_SERVERS?",
                "select * from pg_class  | invalid command 'select * from pg_class', use SHOW HELP; | ",
                "SHOW FDS                | invalid command 'SHOW FDS', use SHOW HELP;          | ",
                "PAUSE a b               | invalid command 'PAUSE a b', use SHOW HELP;         | ",
                "SET x                   | invalid command 'SET x', use SHOW HELP;             | ",
                "SET = =                 | invalid command 'SET = =', use SHOW HELP;           | ",
                "'SHOW' pools            | invalid command ''SHOW' pools', use SHOW HELP;      | ",
                "\"                      | invalid command '\"', use SHOW HELP;                | ",
                "\\0                     | invalid command '\\0', use SHOW HELP;               | ",
                "DISABLE                 | a database is required                              | ",
                "KILL_CLIENT             | a client id is required                             | ",
                "SUSPEND                 | SUSPEND is not supported | PAUSE waits for the end of transactions; so_reuseport lets a new process take over.",
            },
            quoteCharacter = '~')
    void shouldSayWhatIsWrong(String sql, String message, String hint) {
        assertThat(CommandReader.read(sql)).singleElement().isInstanceOfSatisfying(Command.Wrong.class, wrong -> {
            assertThat(wrong.error().message()).isEqualTo(message);
            assertThat(wrong.error().fields().get('H')).isEqualTo(hint);
            assertThat(wrong.error().severity().name()).isEqualTo("ERROR");
        });
    }

    @Test
    void shouldShowOnlyTheBeginningOfWhatIsLong() {
        assertThat(CommandReader.read("x".repeat(100_000)))
                .singleElement()
                .isInstanceOfSatisfying(
                        Command.Wrong.class,
                        wrong -> assertThat(wrong.error().message()).hasSizeLessThan(150));
    }
}
