package org.pgporter.node.work;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GatheringTest {
    private record Question(ActorRef<Gathering.Answer<String>> replyTo) {}

    private final ActorTestKit kit = ActorTestKit.create();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private static Behavior<Question> answering(String word) {
        return Behaviors.receive((context, question) -> {
            question.replyTo().tell(new Gathering.Answer<>(context.getSelf(), word));
            return Behaviors.same();
        });
    }

    private Gathering.Result<String> gather(List<ActorRef<Question>> all, Duration limit) throws Exception {
        CompletableFuture<Gathering.Result<String>> result = new CompletableFuture<>();
        kit.spawn(
                Gathering.create(all, (actor, replyTo) -> actor.tell(new Question(replyTo)), limit, result::complete));
        return result.get(20, TimeUnit.SECONDS);
    }

    @Test
    void shouldCollectWhatEverybodySays() throws Exception {
        List<ActorRef<Question>> all = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            all.add(kit.spawn(answering("word " + i)));
        }

        Gathering.Result<String> result = gather(all, Duration.ofSeconds(15));

        assertThat(result.missing()).isZero();
        assertThat(result.answers())
                .hasSize(1000)
                .extracting(Gathering.Answer::view)
                .doesNotHaveDuplicates();
    }

    @Test
    void shouldEndAtOnceWhereNobodyIsAsked() throws Exception {
        assertThat(gather(List.of(), Duration.ofDays(1)).answers()).isEmpty();
    }

    @Test
    void shouldNotWaitForWhoHasEnded() throws Exception {
        ActorRef<Question> gone = kit.spawn(Behaviors.stopped());
        ActorRef<Question> leaves = kit.spawn(Behaviors.receiveMessage(_ -> Behaviors.stopped()));

        Gathering.Result<String> result =
                gather(List.of(gone, leaves, kit.spawn(answering("here"))), Duration.ofDays(1));

        assertThat(result.missing()).isZero();
        assertThat(result.answers()).extracting(Gathering.Answer::view).containsExactly("here");
    }

    @Test
    void shouldLeaveOutWhoIsStuckAndSaySo() throws Exception {
        ActorRef<Question> stuck = kit.spawn(Behaviors.receiveMessage(_ -> Behaviors.same()));

        Gathering.Result<String> result = gather(List.of(stuck, kit.spawn(answering("here"))), Duration.ofMillis(200));

        assertThat(result.missing()).isEqualTo(1);
        assertThat(result.answers()).extracting(Gathering.Answer::view).containsExactly("here");
    }
}
