package org.pgporter.node.admin;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pgporter.config.NearestKey;
import org.pgporter.node.admin.Words.Statement;
import org.pgporter.node.admin.Words.Word;
import org.pgporter.node.pool.PoolRegistry.Kind;

/// Reads commands. Whatever is written, something comes out: what cannot be read is [Command.Wrong], with the nearest
/// command that there is.
final class CommandReader {
    private static final Set<String> COMMANDS = Set.of(
            "SHOW",
            "SET",
            "PAUSE",
            "RESUME",
            "RECONNECT",
            "KILL",
            "KILL_CLIENT",
            "DISABLE",
            "ENABLE",
            "WAIT_CLOSE",
            "SUSPEND",
            "RELOAD",
            "SHUTDOWN",
            "INVALIDATE AUTH");

    private static final Set<String> SHOWN =
            Stream.of(Show.values()).map(Show::name).collect(Collectors.toUnmodifiableSet());

    private CommandReader() {}

    /// All commands of a text; at least one.
    static List<Command> read(String sql) {
        return Words.read(sql).stream().map(CommandReader::command).toList();
    }

    private static Command command(Statement statement) {
        List<Word> words = statement.words();
        return switch (statement.keyword(0)) {
            case "" -> words.isEmpty() ? new Command.Empty() : wrong(statement);
            case "SHOW" -> show(statement);
            case "SELECT" -> select(statement);
            case "SET" -> set(statement);
            case "BEGIN", "START" -> new Command.Transaction(tag(statement), true);
            case "COMMIT", "END", "ROLLBACK", "ABORT" -> transactionEnd(statement);
            case "DISCARD", "RESET", "DEALLOCATE", "UNLISTEN", "CLOSE" -> new Command.Ignored(tag(statement));
            case "PAUSE" -> ofPools(statement, Kind.PAUSE, false);
            case "RESUME" -> ofPools(statement, Kind.RESUME, false);
            case "RECONNECT" -> ofPools(statement, Kind.RECONNECT, false);
            case "WAIT_CLOSE" -> ofPools(statement, Kind.WAIT_CLOSE, false);
            case "DISABLE" -> ofPools(statement, Kind.DISABLE, true);
            case "ENABLE" -> ofPools(statement, Kind.ENABLE, true);
            case "KILL" -> words.size() > 2 ? wrong(statement) : new Command.Kill(argument(words, 1));
            case "KILL_CLIENT" ->
                words.size() == 2
                        ? new Command.KillClient(words.get(1).text())
                        : words.size() == 1
                                ? new Command.Wrong(ConsoleError.error(
                                        org.pgporter.protocol.message.SqlState.SYNTAX_ERROR, "a client id is required"))
                                : wrong(statement);
            case "SUSPEND" ->
                new Command.Wrong(ConsoleError.notSupported(
                        "SUSPEND",
                        "PAUSE waits for the end of transactions; so_reuseport lets a new process take over."));
            case "RELOAD" -> words.size() == 1 ? new Command.Reload() : wrong(statement);
            case "SHUTDOWN" -> shutdown(statement);
            case "INVALIDATE" ->
                statement.keyword(1).equals("AUTH") && words.size() <= 4
                        ? new Command.InvalidateAuth(argument(words, 2), argument(words, 3))
                        : wrong(statement);
            default -> wrong(statement);
        };
    }

    private static Command show(Statement statement) {
        List<Word> words = statement.words();
        if (words.size() == 1) {
            return new Command.ShowTable(Show.HELP);
        }
        if (words.size() == 2) {
            String name = words.get(1).text();
            Optional<Command> known = shown(name);
            if (known.isPresent()) {
                return known.get();
            }
        }
        // PostgreSQL has two names of two words and more.
        String all = words.stream().skip(1).map(Word::text).collect(Collectors.joining(" "));
        if (all.equalsIgnoreCase("TRANSACTION ISOLATION LEVEL")) {
            return new Command.ShowParameter("transaction_isolation");
        }
        if (all.equalsIgnoreCase("TIME ZONE")) {
            return new Command.ShowParameter("timezone");
        }
        Optional<String> near = NearestKey.of(all.toUpperCase(java.util.Locale.ROOT), SHOWN);
        return new Command.Wrong(ConsoleError.invalidCommand(statement.text(), near.map(name -> "SHOW " + name)));
    }

    private static Optional<Command> shown(String name) {
        return Show.named(name)
                .<Command>map(Command.ShowTable::new)
                .or(() -> Parameters.value(name).map(_ -> new Command.ShowParameter(name)));
    }

    /// SELECT x is SHOW x; and drivers ask whether somebody is there.
    private static Command select(Statement statement) {
        List<Word> words = statement.words();
        if (words.size() == 2) {
            String text = words.get(1).text();
            if (!words.get(1).quoted() && text.matches("\\d{1,9}")) {
                return new Command.Select(new Column("?column?", ColumnType.INT4), text);
            }
            return shown(text).orElseGet(() -> wrong(statement));
        }
        if (words.size() == 4 && words.get(2).is("(") && words.get(3).is(")")) {
            return function(statement);
        }
        return wrong(statement);
    }

    private static Command function(Statement statement) {
        return switch (statement.keyword(1)) {
            case "VERSION" -> text("version", "PgPorter " + Greeting.VERSION);
            case "CURRENT_SCHEMA" -> text("current_schema", "");
            case "PG_BACKEND_PID" -> new Command.Select(new Column("pg_backend_pid", ColumnType.INT4), "0");
            case "PG_IS_IN_RECOVERY" -> text("pg_is_in_recovery", "f");
            default -> wrong(statement);
        };
    }

    private static Command text(String column, String value) {
        return new Command.Select(new Column(column, ColumnType.TEXT), value);
    }

    private static Command set(Statement statement) {
        List<Word> words = statement.words();
        int at = words.size() > 1 && (words.get(1).is("SESSION") || words.get(1).is("LOCAL")) ? 2 : 1;
        if (words.size() > at + 1 && words.get(at).is("CHARACTERISTICS")) {
            return new Command.Ignored("SET");
        }
        if (words.size() > at + 1
                && (words.get(at).is("TRANSACTION") || words.get(at).is("NAMES"))) {
            return new Command.Ignored("SET");
        }
        if (words.size() > at + 2
                && words.get(at).is("TIME")
                && words.get(at + 1).is("ZONE")) {
            return new Command.Ignored("SET");
        }
        boolean assigns = words.size() > at + 2
                && (words.get(at + 1).is("=") || words.get(at + 1).is("TO"));
        if (!assigns) {
            return wrong(statement);
        }
        String value = words.stream().skip(at + 2L).map(Word::text).collect(Collectors.joining());
        return new Command.Set(words.get(at).text(), value);
    }

    private static Command transactionEnd(Statement statement) {
        boolean chains = statement.words().stream().anyMatch(word -> word.is("CHAIN"))
                && statement.words().stream().noneMatch(word -> word.is("NO"));
        return new Command.Transaction(tag(statement), chains);
    }

    /// As PostgreSQL names it.
    private static String tag(Statement statement) {
        return switch (statement.keyword(0)) {
            case "START" -> "START TRANSACTION";
            case "END" -> "COMMIT";
            case "ABORT" -> "ROLLBACK";
            case "DISCARD" -> "DISCARD ALL";
            case "DEALLOCATE" -> "DEALLOCATE ALL";
            case "CLOSE" -> "CLOSE CURSOR ALL";
            default -> statement.keyword(0);
        };
    }

    private static Command ofPools(Statement statement, Kind kind, boolean required) {
        List<Word> words = statement.words();
        if (words.size() > 2) {
            return wrong(statement);
        }
        return required && words.size() == 1
                ? new Command.Wrong(ConsoleError.databaseRequired())
                : new Command.OfPools(kind, argument(words, 1));
    }

    private static Command shutdown(Statement statement) {
        if (statement.words().size() > 2) {
            return wrong(statement);
        }
        return switch (statement.keyword(1)) {
            case "" ->
                statement.words().size() == 1 ? new Command.Shutdown(Operations.Shutdown.AT_ONCE) : wrong(statement);
            case "WAIT_FOR_SERVERS" -> new Command.Shutdown(Operations.Shutdown.WAIT_FOR_SERVERS);
            case "WAIT_FOR_CLIENTS" -> new Command.Shutdown(Operations.Shutdown.WAIT_FOR_CLIENTS);
            default ->
                new Command.Wrong(ConsoleError.invalidCommand(
                        statement.text(),
                        NearestKey.of(statement.keyword(1), Set.of("WAIT_FOR_SERVERS", "WAIT_FOR_CLIENTS"))
                                .map(near -> "SHUTDOWN " + near)));
        };
    }

    private static Optional<String> argument(List<Word> words, int at) {
        return at < words.size() ? Optional.of(words.get(at).text()) : Optional.empty();
    }

    private static Command wrong(Statement statement) {
        Optional<String> near = COMMANDS.contains(statement.keyword(0))
                ? Optional.empty()
                : NearestKey.of(statement.keyword(0), COMMANDS);
        return new Command.Wrong(ConsoleError.invalidCommand(statement.text(), near));
    }
}
