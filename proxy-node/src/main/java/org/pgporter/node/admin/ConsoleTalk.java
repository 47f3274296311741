package org.pgporter.node.admin;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.session.ConsoleAccess;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.CloseComplete;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.EmptyQueryResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.NoData;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.PortalSuspended;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.TransactionStatus;

/// One client's talk with the console in PostgreSQL's protocol, simple and extended.
///
/// Messages wait in a line and are answered one after the other; where an answer is still to come the line waits. As in
/// PostgreSQL an error ends a query of several statements, and an extended one up to the next Sync. A transaction can
/// be
/// opened and ended, and is of no effect.
final class ConsoleTalk implements ConsoleAccess.Talk {
    /// Names of prepared statements, and of portals, that one client can have.
    static final int MOST_NAMES = 256;

    /// Answers commands.
    interface Answers {
        /// The columns of what will be answered; empty if it has no rows.
        Optional<List<Column>> columns(Command command);

        /// Never fails.
        ///
        /// @param canceled completed when the client no longer wants to wait
        CompletionStage<Answer> answer(Command command, CompletionStage<Void> canceled);
    }

    /// Something to be done, in its turn.
    private interface Task {
        /// @return what is to be waited for, if anything is
        Optional<CompletionStage<Answer>> begin(ByteBuf out);

        /// What it has waited for is there.
        default void answered(Answer answer, ByteBuf out) {}
    }

    private final Answers answers;
    private final ArrayDeque<Task> line = new ArrayDeque<>();
    private final Map<String, Command> statements = new HashMap<>();
    private final Map<String, Portal> portals = new HashMap<>();
    private boolean skippingToSync;
    private boolean failedQuery;
    private boolean inTransaction;
    private boolean goodbye;
    private @Nullable ErrorResponse fatal;
    private CompletableFuture<Void> canceled = new CompletableFuture<>();

    ConsoleTalk(Answers answers) {
        this.answers = answers;
    }

    @Override
    public void greet(ByteBuf out) {
        Greeting.writeTo(out);
    }

    @Override
    public void cancel() {
        canceled.complete(null);
    }

    @Override
    public ConsoleAccess.Step hear(Batch batch, ByteBuf out) {
        for (int i = 0; i < batch.marks(); i++) {
            if (!batch.complete(i)) {
                return new ConsoleAccess.Step.Failed(ErrorResponse.of(
                        Severity.FATAL,
                        SqlState.PROGRAM_LIMIT_EXCEEDED,
                        "a message to the console is longer than any command"));
            }
            understand(batch.type(i), batch.body(i));
        }
        return goOn(out);
    }

    private ConsoleAccess.Step goOn(ByteBuf out) {
        while (!line.isEmpty() && fatal == null && !goodbye) {
            Task task = line.remove();
            Optional<CompletionStage<Answer>> waits = task.begin(out);
            if (waits.isEmpty()) {
                continue;
            }
            CompletableFuture<Answer> answer = waits.get().toCompletableFuture();
            if (!answer.isDone()) {
                return new ConsoleAccess.Step.Waits(answer.thenApply(there -> more -> {
                    task.answered(there, more);
                    return goOn(more);
                }));
            }
            task.answered(answer.join(), out);
        }
        if (fatal != null) {
            return new ConsoleAccess.Step.Failed(fatal);
        }
        return goodbye ? new ConsoleAccess.Step.Goodbye() : new ConsoleAccess.Step.Answered();
    }

    // ---- what the client says

    private void understand(byte type, ByteBuf body) {
        switch (type) {
            case 'Q' -> {
                Query query = Query.decode(body);
                line.add(task(_ -> failedQuery = false));
                CommandReader.read(query.sql()).forEach(command -> line.add(new Statement(command)));
                line.add(task(this::ready));
            }
            case 'P' -> {
                Parse parse = Parse.decode(body);
                line.add(unlessSkipping(out -> parse(parse, out)));
            }
            case 'B' -> {
                Bind bind = Bind.decode(body);
                line.add(unlessSkipping(out -> bind(bind, out)));
            }
            case 'D' -> {
                Describe describe = Describe.decode(body);
                line.add(unlessSkipping(out -> describe(describe, out)));
            }
            case 'E' -> line.add(new Execution(Execute.decode(body)));
            case 'C' -> {
                Close close = Close.decode(body);
                line.add(unlessSkipping(out -> {
                    (close.target() == Target.STATEMENT ? statements : portals).remove(close.name());
                    new CloseComplete().encodeTo(out);
                }));
            }
            case 'S' ->
                line.add(task(out -> {
                    skippingToSync = false;
                    if (!inTransaction) {
                        portals.clear();
                    }
                    ready(out);
                }));
            case 'F' ->
                line.add(unlessSkipping(out -> {
                    ConsoleError.notSupported("a function call", "Send a query.")
                            .encodeTo(out);
                    ready(out);
                }));
            case 'X' -> line.add(task(_ -> goodbye = true));
            default -> {} // Flush: everything is sent at once; COPY messages out of turn, which PostgreSQL ignores
        }
    }

    private interface Action {
        void on(ByteBuf out);
    }

    private static Task task(Action action) {
        return out -> {
            action.on(out);
            return Optional.empty();
        };
    }

    private Task unlessSkipping(Action action) {
        return task(out -> {
            if (!skippingToSync) {
                action.on(out);
            }
        });
    }

    private void ready(ByteBuf out) {
        new ReadyForQuery(inTransaction ? TransactionStatus.IN_TRANSACTION : TransactionStatus.IDLE).encodeTo(out);
    }

    private CompletionStage<Answer> ask(Command command) {
        canceled = new CompletableFuture<>();
        return answers.answer(command, canceled);
    }

    /// What is said besides rows.
    private void conclude(Answer answer, Command command, ByteBuf out) {
        switch (answer) {
            case Answer.Rows rows -> throw new IllegalStateException("rows are not concluded: " + rows.tag());
            case Answer.Done(var tag, var notices) -> {
                notices.forEach(notice -> notice.encodeTo(out));
                if (command instanceof Command.Transaction transaction) {
                    inTransaction = transaction.open();
                }
                new CommandComplete(tag).encodeTo(out);
            }
            case Answer.Nothing _ -> new EmptyQueryResponse().encodeTo(out);
            case Answer.Refused(var error) -> error.encodeTo(out);
        }
    }

    // ---- simple

    private final class Statement implements Task {
        private final Command command;

        Statement(Command command) {
            this.command = command;
        }

        @Override
        public Optional<CompletionStage<Answer>> begin(ByteBuf out) {
            return failedQuery ? Optional.empty() : Optional.of(ask(command));
        }

        @Override
        public void answered(Answer answer, ByteBuf out) {
            failedQuery = answer instanceof Answer.Refused;
            if (answer instanceof Answer.Rows rows) {
                Encoding encoding = Encoding.text(rows.table().columns());
                rows.notices().forEach(notice -> notice.encodeTo(out));
                encoding.describe(out);
                for (List<@Nullable String> row : rows.table().rows()) {
                    encoding.row(row, out);
                }
                new CommandComplete(rows.tag()).encodeTo(out);
            } else {
                conclude(answer, command, out);
            }
        }
    }

    // ---- extended

    /// @param encoding empty if there are no rows
    private record Portal(Command command, Optional<Encoding> encoding, Progress progress) {}

    /// How far a portal has been executed.
    private static final class Progress {
        Answer.@Nullable Rows rows;
        int sent;
        boolean over;
    }

    private void fails(ErrorResponse error, ByteBuf out) {
        error.encodeTo(out);
        skippingToSync = true;
    }

    private void parse(Parse parse, ByteBuf out) {
        List<Command> commands = CommandReader.read(parse.sql());
        if (commands.size() > 1) {
            fails(
                    ConsoleError.error(
                            SqlState.SYNTAX_ERROR, "cannot insert multiple commands into a prepared statement"),
                    out);
        } else if (commands.getFirst() instanceof Command.Wrong(var error)) {
            fails(error, out);
        } else if (!parse.statement().isEmpty() && statements.containsKey(parse.statement())) {
            fails(
                    ConsoleError.error(
                            SqlState.DUPLICATE_PREPARED_STATEMENT,
                            "prepared statement \"" + parse.statement() + "\" already exists"),
                    out);
        } else if (statements.size() >= MOST_NAMES) {
            fails(tooMany("prepared statements"), out);
        } else {
            statements.put(parse.statement(), commands.getFirst());
            new ParseComplete().encodeTo(out);
        }
    }

    private static ErrorResponse tooMany(String what) {
        return ConsoleError.error(
                SqlState.CONFIGURATION_LIMIT_EXCEEDED, "more than " + MOST_NAMES + " " + what + " in the console");
    }

    private void bind(Bind bind, ByteBuf out) {
        Command command = statements.get(bind.statement());
        if (command == null) {
            fails(noSuchStatement(bind.statement()), out);
            return;
        }
        if (!bind.parameters().isEmpty()) {
            fails(
                    ConsoleError.error(
                            SqlState.PROTOCOL_VIOLATION,
                            "bind message supplies " + bind.parameters().size()
                                    + " parameters, but a command of the console takes none"),
                    out);
            return;
        }
        if (portals.size() >= MOST_NAMES) {
            fails(tooMany("portals"), out);
            return;
        }
        Optional<List<Column>> columns = answers.columns(command);
        int formats = bind.resultFormats().size();
        int needed = columns.map(List::size).orElse(0);
        if (formats > 1 && formats != needed) {
            fails(
                    ConsoleError.error(
                            SqlState.PROTOCOL_VIOLATION,
                            "bind message has " + formats + " result formats but query has " + needed + " columns"),
                    out);
            return;
        }
        if (bind.resultFormats().stream().anyMatch(format -> format != 0 && format != 1)) {
            fails(
                    ConsoleError.error(
                            SqlState.INVALID_PARAMETER_VALUE, "unsupported format code: " + bind.resultFormats()),
                    out);
            return;
        }
        Optional<Encoding> encoding = columns.map(its -> Encoding.of(its, bind.resultFormats()));
        portals.put(bind.portal(), new Portal(command, encoding, new Progress()));
        new BindComplete().encodeTo(out);
    }

    private static ErrorResponse noSuchStatement(String name) {
        return ConsoleError.error(
                SqlState.INVALID_SQL_STATEMENT_NAME,
                name.isEmpty()
                        ? "unnamed prepared statement does not exist"
                        : "prepared statement \"" + name + "\" does not exist");
    }

    private static ErrorResponse noSuchPortal(String name) {
        return ConsoleError.error(SqlState.INVALID_CURSOR_NAME, "portal \"" + name + "\" does not exist");
    }

    private void describe(Describe describe, ByteBuf out) {
        if (describe.target() == Target.PORTAL) {
            Portal portal = portals.get(describe.name());
            if (portal == null) {
                fails(noSuchPortal(describe.name()), out);
            } else {
                describeRows(portal.encoding(), out);
            }
            return;
        }
        Command command = statements.get(describe.name());
        if (command == null) {
            fails(noSuchStatement(describe.name()), out);
            return;
        }
        out.writeByte('t').writeInt(6).writeShort(0); // ParameterDescription: none
        describeRows(answers.columns(command).map(Encoding::text), out);
    }

    private static void describeRows(Optional<Encoding> encoding, ByteBuf out) {
        encoding.ifPresentOrElse(rows -> rows.describe(out), () -> new NoData().encodeTo(out));
    }

    private final class Execution implements Task {
        private final Execute execute;
        private @Nullable Portal portal;

        Execution(Execute execute) {
            this.execute = execute;
        }

        @Override
        public Optional<CompletionStage<Answer>> begin(ByteBuf out) {
            if (skippingToSync) {
                return Optional.empty();
            }
            Portal found = portals.get(execute.portal());
            if (found == null) {
                fails(noSuchPortal(execute.portal()), out);
                return Optional.empty();
            }
            portal = found;
            Answer.Rows begun = found.progress().rows;
            if (begun != null) {
                return Optional.of(CompletableFuture.completedStage(begun));
            }
            if (found.progress().over) {
                fails(
                        ConsoleError.error(
                                SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
                                "portal \"" + execute.portal() + "\" cannot be run"),
                        out);
                return Optional.empty();
            }
            return Optional.of(ask(found.command()));
        }

        @Override
        public void answered(Answer answer, ByteBuf out) {
            Portal its = portal;
            if (its == null) {
                return;
            }
            if (answer instanceof Answer.Rows rows) {
                send(its, rows, out);
                return;
            }
            its.progress().over = true;
            conclude(answer, its.command(), out);
            skippingToSync = answer instanceof Answer.Refused;
        }

        private void send(Portal its, Answer.Rows rows, ByteBuf out) {
            Progress progress = its.progress();
            if (progress.rows == null) {
                rows.notices().forEach(notice -> notice.encodeTo(out));
                progress.rows = rows;
            }
            Encoding encoding =
                    its.encoding().orElseGet(() -> Encoding.text(rows.table().columns()));
            int all = rows.table().rows().size();
            int last = execute.maxRows() <= 0 ? all : Math.min(all, progress.sent + execute.maxRows());
            while (progress.sent < last) {
                encoding.row(rows.table().rows().get(progress.sent++), out);
            }
            if (execute.maxRows() > 0 && last < all) {
                new PortalSuspended().encodeTo(out);
            } else {
                new CommandComplete(rows.tag()).encodeTo(out);
            }
        }
    }
}
