package org.pgporter.node.work;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/// Asks many actors the same question and collects what they say. A few at a time: whoever looks must not keep those
/// waiting who work. Who ends meanwhile has nothing to say; who is stuck is left out and counted when the time is up.
public final class Gathering<A, V> {
    /// How many are asked at a time.
    private static final int SLICE = 256;

    public sealed interface Message<V> {}

    /// @param from who was asked
    public record Answer<V>(ActorRef<?> from, V view) implements Message<V> {}

    private record Gone<V>(ActorRef<?> who) implements Message<V> {}

    private record TimeIsUp<V>() implements Message<V> {}

    /// What was said, in the order of the answers.
    ///
    /// @param missing how many have not answered
    public record Result<V>(List<Answer<V>> answers, int missing) {}

    private final ActorContext<Message<V>> context;
    private final Iterator<ActorRef<A>> notAsked;
    private final BiConsumer<ActorRef<A>, ActorRef<Answer<V>>> question;
    private final Consumer<Result<V>> whenDone;
    private final Set<ActorRef<?>> asked = new HashSet<>();
    private final List<Answer<V>> answers = new ArrayList<>();

    private Gathering(
            ActorContext<Message<V>> context,
            List<ActorRef<A>> all,
            BiConsumer<ActorRef<A>, ActorRef<Answer<V>>> question,
            Consumer<Result<V>> whenDone) {
        this.context = context;
        this.notAsked = all.iterator();
        this.question = question;
        this.whenDone = whenDone;
    }

    /// @param question tells one of them where to answer
    /// @param limit how long all of it may take
    /// @param whenDone called once, by the actor
    public static <A, V> Behavior<Message<V>> create(
            List<ActorRef<A>> all,
            BiConsumer<ActorRef<A>, ActorRef<Answer<V>>> question,
            Duration limit,
            Consumer<Result<V>> whenDone) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startSingleTimer(new TimeIsUp<>(), limit);
            return new Gathering<>(context, all, question, whenDone).askMore();
        }));
    }

    private Behavior<Message<V>> askMore() {
        while (asked.size() < SLICE && notAsked.hasNext()) {
            ActorRef<A> next = notAsked.next();
            asked.add(next);
            context.watchWith(next, new Gone<>(next));
            question.accept(next, context.getSelf().narrow());
        }
        if (asked.isEmpty()) {
            return end();
        }
        return Behaviors.receiveMessage(message -> switch (message) {
            case Answer<V> answer -> {
                if (asked.remove(answer.from())) {
                    context.unwatch(answer.from());
                    answers.add(answer);
                }
                yield goOn();
            }
            case Gone<V>(var who) -> {
                asked.remove(who);
                yield goOn();
            }
            case TimeIsUp<V> _ -> end();
        });
    }

    private Behavior<Message<V>> goOn() {
        return asked.size() > SLICE / 2 || !asked.isEmpty() && !notAsked.hasNext() ? Behaviors.same() : askMore();
    }

    private Behavior<Message<V>> end() {
        int missing = asked.size();
        while (notAsked.hasNext()) {
            notAsked.next();
            missing++;
        }
        whenDone.accept(new Result<>(List.copyOf(answers), missing));
        return Behaviors.stopped();
    }
}
