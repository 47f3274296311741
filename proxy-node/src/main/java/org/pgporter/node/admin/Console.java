package org.pgporter.node.admin;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.jspecify.annotations.Nullable;
import org.pgporter.config.ConsoleOptions;
import org.pgporter.config.LogLevel;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.authquery.AuthQuery;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.hba.AccessRules;
import org.pgporter.node.logging.LogConfiguration;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.session.ConsoleAccess;
import org.pgporter.node.session.PinBoard;
import org.pgporter.node.session.Sessions;
import org.pgporter.node.stats.Statistics;
import org.pgporter.node.tls.NodeTls;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers what the console is asked. One for a node; clients of all event loops use it.
public final class Console implements ConsoleAccess {
    private static final Logger LOG = LoggerFactory.getLogger(Console.class);

    /// `debug`, or `org.pgporter.node.pool=debug`; `default` takes a level back.
    private static final Pattern LOG_LEVEL = Pattern.compile("(?:([A-Za-z_][\\w.]*)=)?(\\w+)");

    private final ProxyConfig config;
    private final NodeTls tls;
    private final AccessRules rules;
    private final AuthQuery authQuery;
    private final PinBoard pins;
    private final Statistics statistics;
    private final Periods periods;
    private volatile @Nullable Running running;

    /// What is there once the node runs.
    private record Running(Snapshots snapshots, Operations operations) {}

    public Console(
            ProxyConfig config,
            NodeTls tls,
            AccessRules rules,
            AuthQuery authQuery,
            PinBoard pins,
            Statistics statistics) {
        this.config = config;
        this.tls = tls;
        this.rules = rules;
        this.authQuery = authQuery;
        this.pins = pins;
        this.statistics = statistics;
        this.periods = new Periods(System::nanoTime, statistics::byDatabase, statistics::byPool);
    }

    /// Before the first client comes.
    public void attach(
            ActorSystem<?> system,
            List<ActorRef<Sessions.Command>> sessions,
            ActorRef<PoolRegistry.Command> pools,
            Operations operations) {
        running = new Running(new Snapshots(system, sessions, pools), operations);
        Duration period = config.general().console().statsPeriod();
        system.scheduler().scheduleWithFixedDelay(period, period, periods::turn, system.executionContext());
    }

    @Override
    public Optional<Talk> admit(String database, String user) {
        ConsoleOptions options = config.general().console();
        return options.isStats(user)
                ? Optional.of(new ConsoleTalk(new Rights(user, options.isAdmin(user))))
                : Optional.empty();
    }

    /// Lends nothing of any database until [#resumeAll]; for the signal USR1.
    ///
    /// @return completes when no backend connection is left
    public CompletionStage<Boolean> pauseAll() {
        return running().snapshots().order(PoolRegistry.Kind.PAUSE, Optional.empty());
    }

    /// For the signal USR2.
    ///
    /// @return completes with false if nothing was paused
    public CompletionStage<Boolean> resumeAll() {
        return running().snapshots().order(PoolRegistry.Kind.RESUME, Optional.empty());
    }

    private Running running() {
        Running its = running;
        if (its == null) {
            throw new IllegalStateException("the node is not open yet");
        }
        return its;
    }

    /// Answers one user.
    private final class Rights implements ConsoleTalk.Answers {
        private final String user;
        private final boolean admin;

        Rights(String user, boolean admin) {
            this.user = user;
            this.admin = admin;
        }

        @Override
        public Optional<List<Column>> columns(Command command) {
            return switch (command) {
                case Command.ShowTable(var what) -> what == Show.HELP ? Optional.empty() : Optional.of(what.columns());
                case Command.ShowParameter(var name) -> Optional.of(List.of(new Column(name, ColumnType.TEXT)));
                case Command.Select(var column, var _) -> Optional.of(List.of(column));
                default -> Optional.empty();
            };
        }

        @Override
        public CompletionStage<Answer> answer(Command command, CompletionStage<Void> canceled) {
            CompletionStage<Answer> answer;
            try {
                answer = Console.this.answer(command, admin, user, canceled);
            } catch (RuntimeException e) {
                answer = CompletableFuture.failedStage(e);
            }
            return answer.exceptionally(failure -> {
                LOG.atError().setCause(failure).log("the console could not answer");
                return new Answer.Refused(ConsoleError.internal());
            });
        }
    }

    private CompletionStage<Answer> answer(
            Command command, boolean admin, String user, CompletionStage<Void> canceled) {
        boolean harmless = switch (command) {
            case Command.Empty _,
                    Command.ShowTable _,
                    Command.ShowParameter _,
                    Command.Select _,
                    Command.Transaction _,
                    Command.Ignored _,
                    Command.Wrong _ -> true;
            case Command.Set(var key, var _) -> Parameters.value(key).isPresent();
            case Command.OfPools _,
                    Command.Kill _,
                    Command.KillClient _,
                    Command.Shutdown _,
                    Command.Reload _,
                    Command.InvalidateAuth _ -> false;
        };
        if (!harmless && !admin) {
            return refused(ConsoleError.adminNeeded());
        }
        if (!harmless) {
            LOG.atInfo()
                    .addKeyValue(LogKeys.USER, user)
                    .addKeyValue(LogKeys.COMMAND, command)
                    .log("command in the console");
        }
        return switch (command) {
            case Command.Empty _ -> now(new Answer.Nothing());
            case Command.ShowTable(var what) -> show(what);
            case Command.ShowParameter(var name) ->
                rows(
                        Table.of(List.of(new Column(name, ColumnType.TEXT)))
                                .row(Parameters.value(name).orElse(""))
                                .table(),
                        "SHOW");
            case Command.Select(var column, var value) ->
                rows(Table.of(List.of(column)).row(value).table(), "SELECT 1");
            case Command.Transaction(var tag, var _) -> done(tag);
            case Command.Ignored(var tag) -> done(tag);
            case Command.Wrong(var error) -> refused(error);
            case Command.Set(var key, var value) -> set(key, value);
            case Command.OfPools(var kind, var database) -> ofPools(kind, database, canceled);
            case Command.Kill(var database) -> kill(database);
            case Command.KillClient(var client) -> killClient(client);
            case Command.Shutdown(var how) -> {
                running().operations().shutDown(how);
                yield done("SHUTDOWN");
            }
            case Command.Reload _ -> reload();
            case Command.InvalidateAuth(var database, var ofUser) -> invalidate(database, ofUser);
        };
    }

    private static CompletionStage<Answer> now(Answer answer) {
        return CompletableFuture.completedStage(answer);
    }

    private static CompletionStage<Answer> done(String tag) {
        return now(new Answer.Done(tag));
    }

    private static CompletionStage<Answer> refused(org.pgporter.protocol.message.ErrorResponse error) {
        return now(new Answer.Refused(error));
    }

    private static CompletionStage<Answer> rows(Table table, String tag) {
        return now(new Answer.Rows(table, tag, List.of()));
    }

    private static NoticeResponse notice(String text) {
        return NoticeResponse.of(Severity.NOTICE, SqlState.SUCCESSFUL_COMPLETION, text);
    }

    // ---- SHOW

    private CompletionStage<Answer> show(Show what) {
        return switch (what) {
            case HELP -> now(new Answer.Done("SHOW", List.of(NodeTables.help())));
            case VERSION -> rows(NodeTables.version(), "SHOW");
            case MEM -> rows(NodeTables.memory(), "SHOW");
            case PINS -> rows(NodeTables.pins(pins), "SHOW");
            case CERTIFICATES -> rows(NodeTables.certificates(tls), "SHOW");
            case LOG_LEVEL -> rows(NodeTables.logLevels(), "SHOW");
            case CONFIG -> rows(ConfigTable.of(config), "SHOW");
            case DNS_HOSTS, DNS_ZONES, PEERS, PEER_POOLS ->
                rows(Table.of(what.columns()).table(), "SHOW");
            case CLIENTS -> seen(seen -> seen.sockets().clients());
            case SERVERS -> seen(seen -> seen.sockets().servers());
            case SOCKETS -> seen(seen -> seen.sockets().sockets(false));
            case ACTIVE_SOCKETS -> seen(seen -> seen.sockets().sockets(true));
            case POOLS -> seen(seen -> seen.pools().pools());
            case DATABASES -> seen(seen -> seen.pools().databases());
            case USERS -> seen(seen -> seen.pools().users());
            case LISTS -> seen(seen -> seen.pools().lists());
            case STATE -> seen(seen -> seen.pools().state());
            case POOL_COORDINATOR -> seen(seen -> seen.pools().coordinator());
            case PREPARED_STATEMENTS -> seen(seen -> seen.pools().preparedStatements());
            case STARTUP_PARAMETERS -> seen(seen -> seen.pools().startupParameters());
            case POOLS_EXTENDED -> seen(seen -> seen.pools().extended(statistics.byPool(), periods));
            case HBA -> rows(NodeTables.rules(rules), "SHOW");
            case AUTH_QUERY -> rows(NodeTables.authQuery(authQuery), "SHOW");
            case STATS -> rows(stats().stats(), "SHOW");
            case STATS_TOTALS -> rows(stats().onlyTotals(), "SHOW");
            case STATS_AVERAGES -> rows(stats().onlyAverages(), "SHOW");
            case TOTALS -> rows(stats().ofTheNode(), "SHOW");
        };
    }

    private StatsTables stats() {
        return new StatsTables(
                statistics.byDatabase(), periods.last(), config.pools().keySet());
    }

    private record Seen(SocketTables sockets, PoolTables pools) {}

    private CompletionStage<Answer> seen(Function<Seen, Table> table) {
        return running().snapshots().take().thenApply(snapshot -> {
            SocketTables sockets = new SocketTables(
                    snapshot,
                    new ClientIds(running().snapshots().loops()),
                    config.general().pools().serverCheckDelay());
            Table shown = table.apply(new Seen(sockets, new PoolTables(snapshot, config, sockets)));
            List<NoticeResponse> notices = snapshot.missing() == 0
                    ? List.of()
                    : List.of(notice(snapshot.missing() + " connections or pools have not answered in time"));
            return new Answer.Rows(shown, "SHOW", notices);
        });
    }

    // ---- SET

    private static CompletionStage<Answer> set(String key, String value) {
        if (Parameters.value(key).isPresent()) {
            return now(new Answer.Done("SET", List.of(notice("SET ignored"))));
        }
        if (!key.equalsIgnoreCase("log_level")) {
            return refused(ConsoleError.setFailed(key, "cannot be changed while the node runs, or is not known"));
        }
        Matcher parts = LOG_LEVEL.matcher(value);
        Optional<String> logger = parts.matches() ? Optional.ofNullable(parts.group(1)) : Optional.empty();
        String word = parts.matches() ? parts.group(2).toUpperCase(Locale.ROOT) : "";
        Optional<LogLevel> level = List.of(LogLevel.values()).stream()
                .filter(it -> it.name().equals(word))
                .findFirst();
        if (level.isEmpty() && !(word.equals("DEFAULT") && logger.isPresent())) {
            return refused(ConsoleError.setFailed(
                    key, "must be error, warn, info, debug or trace, or one of these behind a package and `=`"));
        }
        LogConfiguration.setLevel(logger, level);
        return done("SET");
    }

    // ---- pools

    private Optional<Answer> problem(String what, Optional<String> database) {
        return database.flatMap(name -> {
            if (ConsoleOptions.isConsole(name)) {
                return Optional.of(new Answer.Refused(ConsoleError.notForTheConsole(what, name)));
            }
            return config.pools().containsKey(name)
                    ? Optional.empty()
                    : Optional.of(new Answer.Refused(ConsoleError.noSuchDatabase(name)));
        });
    }

    private CompletionStage<Answer> ofPools(
            PoolRegistry.Kind kind, Optional<String> database, CompletionStage<Void> canceled) {
        Optional<Answer> problem = problem(kind.name().toLowerCase(Locale.ROOT), database);
        if (problem.isPresent()) {
            return now(problem.get());
        }
        Snapshots node = running().snapshots();
        return switch (kind) {
            case PAUSE -> {
                CompletableFuture<Boolean> paused = node.order(kind, database);
                canceled.thenRun(() -> {
                    if (paused.cancel(false)) {
                        node.order(PoolRegistry.Kind.RESUME, database);
                    }
                });
                yield answered(paused, "PAUSE", new Answer.Refused(ConsoleError.alreadyPaused()));
            }
            case RESUME ->
                answered(
                        node.order(kind, database),
                        "RESUME",
                        new Answer.Refused(
                                database.map(ConsoleError::notPaused).orElseGet(ConsoleError::nothingPaused)));
            case WAIT_CLOSE -> {
                CompletableFuture<Boolean> closed = node.order(kind, database);
                canceled.thenRun(() -> closed.cancel(false));
                yield answered(closed, "WAIT_CLOSE", new Answer.Nothing());
            }
            case RECONNECT, DISABLE, ENABLE, KILL ->
                answered(node.order(kind, database), kind.name(), new Answer.Nothing());
        };
    }

    /// @param otherwise the answer if there was nothing to do
    private static CompletionStage<Answer> answered(
            CompletableFuture<Boolean> carriedOut, String tag, Answer otherwise) {
        return carriedOut.handle((some, failure) -> {
            if (failure != null) {
                return new Answer.Refused(ConsoleError.canceled());
            }
            return some ? new Answer.Done(tag) : otherwise;
        });
    }

    private CompletionStage<Answer> kill(Optional<String> database) {
        Optional<Answer> problem = problem("kill", database);
        if (problem.isPresent()) {
            return now(problem.get());
        }
        Snapshots node = running().snapshots();
        CompletableFuture<Boolean> closed = node.order(PoolRegistry.Kind.KILL, database);
        node.tellAll(new Sessions.KillAllOf(database, ProxyError.terminatedByOperator()));
        return answered(closed, "KILL", new Answer.Nothing());
    }

    private CompletionStage<Answer> killClient(String client) {
        Snapshots node = running().snapshots();
        Optional<String> session = new ClientIds(node.loops()).session(client);
        if (session.isEmpty()) {
            return refused(ConsoleError.noSuchClient(client));
        }
        return node.kill(session.get(), ProxyError.terminatedByOperator())
                .thenApply(found ->
                        found ? new Answer.Done("KILL_CLIENT") : new Answer.Refused(ConsoleError.noSuchClient(client)));
    }

    // ---- the node

    private CompletionStage<Answer> reload() {
        // Files are read; no event loop waits for them.
        return CompletableFuture.supplyAsync(() -> running().operations().reload(), VIRTUAL)
                .thenApply(reloaded -> reloaded.problems().isEmpty()
                        ? new Answer.Done(
                                "RELOAD",
                                List.of(notice("read again: " + String.join(", ", reloaded.done())
                                        + "; the configuration itself is read only at start")))
                        : new Answer.Refused(ConsoleError.reloadFailed(String.join("; ", reloaded.problems()))));
    }

    private static final java.util.concurrent.Executor VIRTUAL =
            task -> Thread.ofVirtual().name("pgporter-console").start(task);

    private CompletionStage<Answer> invalidate(Optional<String> database, Optional<String> user) {
        Optional<Answer> problem = problem("invalidate", database);
        if (problem.isPresent()) {
            return now(problem.get());
        }
        running().operations().invalidateAuth(database, user);
        return done("INVALIDATE AUTH");
    }
}
