package org.pgporter.node.authquery;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.pgporter.cluster.credential.UserLookups.Outcome;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.config.PoolSettings;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.BackendConnection.Ending;
import org.pgporter.node.backend.ClientBatch;
import org.pgporter.node.backend.HolderMessage;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.pool.Pool;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.transport.Ack;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks the users of one database up, a few at a time, each with a time limit.
///
/// It borrows connections from a pool of its own, as a session does, so whatever happens to PostgreSQL is
/// the pool's to mend: connections are opened anew as soon as the server lets it. A lookup whose connection
/// was lost is tried once more. Nothing of a client reaches the server but the name, as the parameter `$1`.
///
/// ```
///  waiting ── a worker and a place in the rate are free ──► running ──► answered
///     ▲                                                      │  │
///     └───────────── its connection was lost, once ──────────┘ └── its time is over: it is cancelled
/// ```
final class LookupDesk extends AbstractBehavior<HolderMessage> {
    sealed interface Command extends HolderMessage {}

    /// @param answer completed with the outcome, at the latest after `lookup_timeout`
    record Look(String user, CompletableFuture<Outcome> answer) implements Command {}

    private record FromPool(Pool.JoinReply reply) implements Command {}

    private record TimePassed() implements Command {}

    /// As long as a secret, its validity and the longest settings can be, several times.
    private static final int LONGEST_ANSWER = 64 * 1024;

    /// Two rows are enough to see that there is more than one.
    private static final int MOST_ROWS = 2;

    /// So long a pool that opens its first connection may be silent.
    private static final Duration JOIN_PATIENCE = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(LookupDesk.class);

    private final TimerScheduler<HolderMessage> timers;
    private final ActorRef<PoolRegistry.Command> pools;
    private final PoolSettings settings;
    private final int loop;
    private final int workers;
    private final Duration timeout;
    private final String query;
    private final LookupCounters counters;
    private final LookupRate rate;
    private final ActorRef<Pool.JoinReply> joinReplies;
    private final ArrayDeque<Lookup> waiting = new ArrayDeque<>();
    private final Map<LeaseId, Lookup> running = new HashMap<>();
    private @Nullable ActorRef<Pool.Command> pool;
    private long joinedUntil;
    private boolean joining;
    private boolean failing;

    /// One question.
    private static final class Lookup {
        final String user;
        final CompletableFuture<Outcome> answer;
        final long deadline;
        ByteBuf said = Unpooled.EMPTY_BUFFER;
        boolean secondTry;

        @Nullable
        ActorRef<BackendConnection.Command> backend;

        Lookup(String user, CompletableFuture<Outcome> answer, long deadline) {
            this.user = user;
            this.answer = answer;
            this.deadline = deadline;
        }
    }

    private LookupDesk(
            ActorContext<HolderMessage> context,
            TimerScheduler<HolderMessage> timers,
            ActorRef<PoolRegistry.Command> pools,
            PoolSettings settings,
            int loop,
            AuthQueryConfig config,
            LookupCounters counters) {
        super(context);
        this.timers = timers;
        this.pools = pools;
        this.settings = settings;
        this.loop = loop;
        this.workers = config.options().workers();
        this.timeout = config.options().lookupTimeout();
        this.query = config.effectiveQuery();
        this.counters = counters;
        this.rate = new LookupRate(config.options().maxLookupsPerSecond(), System.nanoTime());
        this.joinReplies = context.messageAdapter(Pool.JoinReply.class, FromPool::new);
    }

    /// Must run on the dispatcher of the loop.
    ///
    /// @param settings of the connections
    /// @param loop the index of the event loop
    static Behavior<HolderMessage> create(
            ActorRef<PoolRegistry.Command> pools,
            PoolSettings settings,
            int loop,
            AuthQueryConfig config,
            LookupCounters counters) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new LookupDesk(context, timers, pools, settings, loop, config, counters)));
    }

    @Override
    public Receive<HolderMessage> createReceive() {
        return newReceiveBuilder()
                .onAnyMessage(this::onMessage)
                .onSignal(Terminated.class, this::onPoolGone)
                .build();
    }

    private Behavior<HolderMessage> onMessage(HolderMessage message) {
        switch (message) {
            case Command command -> onCommand(command);
            case LeaseEvent event -> onLease(event);
            default -> throw new IllegalArgumentException("not for a desk: " + message);
        }
        goOn();
        return this;
    }

    private void onCommand(Command command) {
        switch (command) {
            case Look(var user, var answer) ->
                waiting.add(new Lookup(user, answer, System.nanoTime() + timeout.toNanos()));
            case FromPool(Pool.Joined joined) -> {
                joining = false;
                if (pool == null) {
                    getContext().watch(joined.pool());
                    pool = joined.pool();
                }
            }
            case FromPool(Pool.JoinFailed(var error)) -> {
                joining = false;
                while (!waiting.isEmpty()) {
                    fail(waiting.remove(), error.message());
                }
            }
            case TimePassed _ -> {
                // What is overdue is found below.
            }
        }
    }

    private Behavior<HolderMessage> onPoolGone(Terminated signal) {
        pool = null;
        for (Lookup lookup : List.copyOf(running.values())) {
            lost(lookup, "the connections have ended");
        }
        running.clear();
        goOn();
        return this;
    }

    // ---- running

    private void goOn() {
        long now = System.nanoTime();
        giveUpWhatIsOverdue(now);
        while (!waiting.isEmpty() && running.size() < workers && isConnected(now) && rate.take(now)) {
            begin(waiting.remove());
        }
        wakeUpWhenNeeded(now);
    }

    private boolean isConnected(long now) {
        if (pool != null) {
            return true;
        }
        if (!joining || now - joinedUntil >= 0) {
            joining = true;
            joinedUntil = now + JOIN_PATIENCE.toNanos();
            pools.tell(new PoolRegistry.Join(
                    settings, loop, Optional.empty(), getContext().getSelf(), joinReplies));
        }
        return false;
    }

    private void begin(Lookup lookup) {
        LeaseId lease = LeaseId.next();
        Batch batch = Batch.of(
                new Parse("", query, List.of()),
                new Bind("", "", List.of(), List.of(Optional.of(Bytes.ofText(lookup.user))), List.of()),
                new Describe(Target.PORTAL, ""),
                new Execute("", MOST_ROWS),
                new Sync());
        running.put(lease, lookup);
        counters.queries.increment();
        pool().tell(new Pool.Acquire(
                lease,
                getContext().getSelf().narrow(),
                WantedParameters.none(),
                Optional.of(new ClientBatch(batch, null, Ack.NONE))));
    }

    private ActorRef<Pool.Command> pool() {
        return Objects.requireNonNull(pool);
    }

    private void onLease(LeaseEvent event) {
        Lookup lookup = running.get(event.lease());
        switch (event) {
            case LeaseEvent.Attached(var lease, var backend, var _, var _) -> {
                if (lookup == null) {
                    backend.tell(new BackendConnection.Return(lease, Ending.ABANDONED));
                } else {
                    lookup.backend = backend;
                }
            }
            case LeaseEvent.Replies replies -> {
                if (lookup != null) {
                    onReplies(lookup, replies);
                }
                replies.releaseBytes();
            }
            case LeaseEvent.Unserved unserved -> {
                unserved.releaseBytes();
                if (running.remove(unserved.lease()) != null && lookup != null) {
                    fail(lookup, unserved.error().message());
                }
            }
            case LeaseEvent.Refused(var lease, var error) -> {
                if (running.remove(lease) != null && lookup != null) {
                    fail(lookup, error.message());
                }
            }
            case LeaseEvent.Lost(var lease, var lastWords, var _) -> {
                if (running.remove(lease) != null && lookup != null) {
                    lost(lookup, lastWords.map(error -> error.message()).orElse("the connection was lost"));
                }
            }
            case LeaseEvent.Inspected _, LeaseEvent.Over _ -> {
                // Nobody has asked.
            }
        }
    }

    private void onReplies(Lookup lookup, LeaseEvent.Replies replies) {
        if (lookup.said.readableBytes() + replies.bytes().readableBytes() > LONGEST_ANSWER) {
            giveBack(replies.lease(), lookup, Ending.ABANDONED);
            fail(lookup, "the answer of PostgreSQL is too long");
            return;
        }
        if (replies.bytes().isReadable()) {
            lookup.said = lookup.said == Unpooled.EMPTY_BUFFER ? Unpooled.buffer() : lookup.said;
            lookup.said.writeBytes(
                    replies.bytes(),
                    replies.bytes().readerIndex(),
                    replies.bytes().readableBytes());
        }
        if (replies.settled() && replies.batchesSeen() > 0 && lookup.said.isReadable()) {
            giveBack(replies.lease(), lookup, Ending.FINISHED);
            answered(lookup, UserRow.read(lookup.said, counters.parametersDropped));
        }
    }

    private void giveBack(LeaseId lease, Lookup lookup, Ending ending) {
        running.remove(lease);
        ActorRef<BackendConnection.Command> backend = lookup.backend;
        if (backend == null) {
            pool().tell(new Pool.Withdraw(lease, ProxyError.canceled()));
        } else {
            backend.tell(new BackendConnection.Return(lease, ending));
        }
    }

    // ---- the end of a lookup

    private void answered(Lookup lookup, Outcome outcome) {
        if (outcome instanceof Outcome.Failed(var cause)) {
            fail(lookup, cause);
            return;
        }
        if (failing) {
            failing = false;
            LOG.atInfo().addKeyValue(LogKeys.DATABASE, settings.database()).log("users can be looked up again");
        }
        lookup.answer.complete(outcome);
    }

    /// The server may have restarted since the connection was used last: nobody shall notice that.
    private void lost(Lookup lookup, String why) {
        if (lookup.secondTry) {
            fail(lookup, why);
            return;
        }
        lookup.secondTry = true;
        lookup.backend = null;
        lookup.said = Unpooled.EMPTY_BUFFER;
        waiting.addFirst(lookup);
    }

    private void fail(Lookup lookup, String cause) {
        counters.errors.increment();
        if (failing) {
            LOG.atDebug()
                    .addKeyValue(LogKeys.DATABASE, settings.database())
                    .addKeyValue(LogKeys.REASON, cause)
                    .log("lookup of a user failed");
        } else {
            // Said once: whoever knocks meanwhile shall not fill the log.
            failing = true;
            LOG.atWarn()
                    .addKeyValue(LogKeys.DATABASE, settings.database())
                    .addKeyValue(LogKeys.REASON, cause)
                    .log("users cannot be looked up");
        }
        lookup.answer.complete(new Outcome.Failed(cause));
    }

    private void giveUpWhatIsOverdue(long now) {
        // They have come in the order of their time, but for those that are tried again, whose time is shorter.
        while (!waiting.isEmpty() && waiting.peek().deadline - now <= 0) {
            fail(waiting.remove(), "no connection was free in time");
        }
        for (Iterator<Map.Entry<LeaseId, Lookup>> it = running.entrySet().iterator(); it.hasNext(); ) {
            Map.Entry<LeaseId, Lookup> entry = it.next();
            if (entry.getValue().deadline - now <= 0) {
                it.remove();
                giveBack(entry.getKey(), entry.getValue(), Ending.ABANDONED);
                fail(entry.getValue(), "took longer than lookup_timeout");
            }
        }
    }

    private void wakeUpWhenNeeded(long now) {
        long next = Long.MAX_VALUE;
        for (Lookup lookup : running.values()) {
            next = Math.min(next, lookup.deadline - now);
        }
        if (!waiting.isEmpty()) {
            next = Math.min(next, waiting.peek().deadline - now);
            if (pool != null && running.size() < workers) {
                next = Math.min(next, rate.untilNext(now).toNanos());
            }
        }
        if (next < Long.MAX_VALUE) {
            // Not sooner than the scheduler can.
            timers.startSingleTimer(new TimePassed(), Duration.ofNanos(Math.max(next, 1_000_000)));
        } else {
            timers.cancel(new TimePassed());
        }
    }
}
