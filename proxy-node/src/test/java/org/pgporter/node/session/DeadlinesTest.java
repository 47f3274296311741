package org.pgporter.node.session;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.node.session.Deadlines.Kind.CLIENT_IDLE;
import static org.pgporter.node.session.Deadlines.Kind.QUERY;
import static org.pgporter.node.session.Deadlines.Kind.TRANSACTION;

import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.pgporter.node.session.Deadlines.Kind;

class DeadlinesTest {
    private static final ActorTestKit KIT = ActorTestKit.create(ManualTime.config());
    private static final ManualTime TIME = ManualTime.get(KIT.system());

    /// Far from zero and about to wrap around: a monotonic clock may have any value.
    private final AtomicLong nanos =
            new AtomicLong(Long.MAX_VALUE - Duration.ofSeconds(3).toNanos());

    private final List<Duration> ordered = new CopyOnWriteArrayList<>();
    private final TestProbe<Kind> overdue = KIT.createTestProbe();
    private final TestProbe<String> done = KIT.createTestProbe();
    private @Nullable Session session;

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
    }

    @Test
    void shouldSayWhatIsOverdueAtItsTime() { // checklist 117: the clock is monotonic
        Session session = session(Map.of(QUERY, Duration.ofSeconds(30)));
        session.does(deadlines -> deadlines.arm(QUERY));

        passes(Duration.ofMillis(29_990));
        overdue.expectNoMessage(Duration.ZERO);
        passes(Duration.ofMillis(20));

        overdue.expectMessage(QUERY);
        passes(Duration.ofMinutes(10));
        overdue.expectNoMessage(Duration.ZERO);
        assertThat(ordered).hasSize(1);
    }

    @Test
    void shouldStartNoTimerForEachQuery() {
        Session session = session(Map.of(QUERY, Duration.ofSeconds(30)));
        for (int second = 0; second < 5; second++) {
            for (int i = 0; i < 200; i++) {
                session.does(deadlines -> deadlines.arm(QUERY));
                session.does(deadlines -> deadlines.disarm(QUERY));
            }
            passes(Duration.ofSeconds(1));
        }

        assertThat(ordered).containsExactly(Duration.ofSeconds(30));
        // The wake-up finds nothing armed, and that is the end of it.
        passes(Duration.ofMinutes(10));
        overdue.expectNoMessage(Duration.ZERO);
        assertThat(ordered).hasSize(1);
    }

    @Test
    void shouldGoOnWaitingForWhatWasArmedMeanwhile() {
        Session session = session(Map.of(QUERY, Duration.ofSeconds(30)));
        session.does(deadlines -> deadlines.arm(QUERY));
        passes(Duration.ofSeconds(20));
        session.does(deadlines -> deadlines.disarm(QUERY));
        session.does(deadlines -> deadlines.arm(QUERY));

        passes(Duration.ofSeconds(10));
        overdue.expectNoMessage(Duration.ZERO);
        assertThat(ordered).containsExactly(Duration.ofSeconds(30), Duration.ofSeconds(20));
        passes(Duration.ofSeconds(20));

        overdue.expectMessage(QUERY);
    }

    @Test
    void shouldWakeEarlierForWhatIsDueEarlier() {
        Session session = session(Map.of(CLIENT_IDLE, Duration.ofHours(1), QUERY, Duration.ofSeconds(5)));
        session.does(deadlines -> deadlines.arm(CLIENT_IDLE));
        session.does(deadlines -> deadlines.arm(QUERY));

        passes(Duration.ofMillis(5_010));
        overdue.expectMessage(QUERY);
        passes(Duration.ofHours(1));
        overdue.expectMessage(CLIENT_IDLE);
    }

    @Test
    void shouldReportOneAfterTheOtherWhenSeveralAreDue() {
        Session session = session(Map.of(TRANSACTION, Duration.ofSeconds(5), QUERY, Duration.ofSeconds(5)));
        session.does(deadlines -> deadlines.arm(TRANSACTION));
        session.does(deadlines -> deadlines.arm(QUERY));

        passes(Duration.ofMillis(5_010));
        overdue.expectMessage(QUERY);
        passes(Duration.ofMillis(20));
        overdue.expectMessage(TRANSACTION);
    }

    @Test
    void shouldKeepTheTimeOfWhatIsArmedAlready() {
        Session session = session(Map.of(QUERY, Duration.ofSeconds(30)));
        session.does(deadlines -> deadlines.arm(QUERY));
        passes(Duration.ofSeconds(20));
        session.does(deadlines -> deadlines.armIfNot(QUERY));

        passes(Duration.ofMillis(10_010));
        overdue.expectMessage(QUERY);
    }

    @Test
    void shouldOrderNothingForWhatHasNoLimit() {
        Session session = session(Map.of(QUERY, Duration.ZERO));
        session.does(deadlines -> deadlines.arm(QUERY));
        session.does(deadlines -> deadlines.arm(TRANSACTION));

        assertThat(ordered).isEmpty();
    }

    @Test
    void shouldWaitForLongerThanASchedulerCan() {
        Duration years = Duration.ofDays(36_500);
        Session session = session(Map.of(QUERY, years));
        session.does(deadlines -> deadlines.arm(QUERY));
        assertThat(ordered).containsExactly(Deadlines.LONGEST_WAIT);

        passes(Deadlines.LONGEST_WAIT.plusMillis(10));

        overdue.expectNoMessage(Duration.ZERO);
        assertThat(ordered).containsExactly(Deadlines.LONGEST_WAIT, Deadlines.LONGEST_WAIT);
    }

    // ---- a session with nothing but its deadlines

    private sealed interface Command {}

    private record Does(Consumer<Deadlines> work) implements Command {}

    private record WakeUp() implements Command {}

    private final class Session {
        private final ActorRef<Command> actor;

        Session(Map<Kind, Duration> limits) {
            this.actor = KIT.spawn(behavior(limits));
        }

        void does(Consumer<Deadlines> work) {
            actor.tell(new Does(work));
            done.expectMessage("done");
        }

        private Behavior<Command> behavior(Map<Kind, Duration> limits) {
            return Behaviors.withTimers(timers -> {
                Deadlines deadlines = new Deadlines(new EnumMap<>(limits), nanos::get, wait -> {
                    ordered.add(wait);
                    timers.startSingleTimer("wake-up", new WakeUp(), wait);
                });
                return Behaviors.receiveMessage(command -> {
                    switch (command) {
                        case Does(var work) -> {
                            work.accept(deadlines);
                            done.ref().tell("done");
                        }
                        case WakeUp _ -> deadlines.wakeUp().ifPresent(overdue.ref()::tell);
                    }
                    return Behaviors.same();
                });
            });
        }
    }

    private Session session(Map<Kind, Duration> limits) {
        session = new Session(limits);
        return session;
    }

    /// Both clocks go on, and the session has done what it was woken for.
    private void passes(Duration time) {
        nanos.addAndGet(time.toNanos());
        TIME.timePasses(time);
        requireNonNull(session).does(_ -> {});
    }
}
