package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pgporter.node.transport.Loopback.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.node.transport.Loopback.Pair;

final class EventLoopsIT {
    private static final String KINDS = "org.pgporter.node.transport.Loopback#kinds";

    /// A message that two actors pass to each other so many times, noting the thread each time.
    private record Ball(int left, ActorRef<Ball> other) {}

    @ParameterizedTest
    @MethodSource(KINDS)
    void shouldRunActorsOnTheThreadOfTheirLoop(IoKind kind) throws Exception {
        try (Loopback loopback = new Loopback(kind, 2)) {
            for (int loop = 0; loop < 2; loop++) {
                List<String> threads = new CopyOnWriteArrayList<>();
                CompletableFuture<Void> done = new CompletableFuture<>();
                Props onLoop = DispatcherSelector.fromConfig(loopback.loops.dispatcher(loop));
                ActorRef<Ball> one = loopback.system.systemActorOf(player(threads, done), "one" + loop, onLoop);
                ActorRef<Ball> two = loopback.system.systemActorOf(player(threads, done), "two" + loop, onLoop);
                one.tell(new Ball(100, two));
                await(done);
                assertThat(threads).hasSize(101).containsOnly("pgporter-loop-" + loop);
            }
        }
    }

    private static Behavior<Ball> player(List<String> threads, CompletableFuture<Void> done) {
        return Behaviors.setup(context -> Behaviors.receiveMessage(ball -> {
            threads.add(Thread.currentThread().getName());
            if (ball.left() == 0) {
                done.complete(null);
            } else {
                ball.other().tell(new Ball(ball.left() - 1, context.getSelf()));
            }
            return Behaviors.same();
        }));
    }

    @ParameterizedTest
    @MethodSource(KINDS)
    void shouldOutliveTheActorSystemAndEndQuickly(IoKind kind) throws Exception {
        // Given a dispatcher that has been used, and a socket that is being read
        Loopback loopback = new Loopback(kind, 2);
        Pair pair = loopback.pair();
        loopback.echo(pair.socket());
        Loopback.send(pair.peer(), new byte[] {1});
        Loopback.receive(pair.peer(), 1);
        // When
        loopback.system.terminate();
        await(loopback.system.getWhenTerminated());
        // Then the loops go on
        assertThat(loopback.loops.loop(0).submit(() -> "alive").get(20, TimeUnit.SECONDS))
                .isEqualTo("alive");
        // When
        long before = System.nanoTime();
        loopback.loops.close();
        // Then
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(4));
        assertThat(loopback.loops.loop(0).isTerminated()).isTrue();
        pair.peer().close();
    }

    @ParameterizedTest
    @MethodSource(KINDS)
    void shouldNameThreadsByTheIndexOfTheirLoop(IoKind kind) throws Exception {
        try (EventLoops loops = EventLoops.start(kind, 3, Duration.ZERO)) {
            assertThat(loops.kind()).isEqualTo(kind);
            assertThat(loops.count()).isEqualTo(3);
            for (int i = 0; i < 3; i++) {
                assertThat(loops.indexOf(loops.loop(i))).isEqualTo(i);
                assertThat(loops.loop(i)
                                .submit(() -> Thread.currentThread().getName())
                                .get(20, TimeUnit.SECONDS))
                        .isEqualTo("pgporter-loop-" + i);
            }
        }
    }

    @Test
    void shouldChooseTheBestKind() {
        try (EventLoops loops = EventLoops.start(IoKind.AUTO, 1, Duration.ZERO)) {
            assertThat(loops.kind()).isEqualTo(Loopback.kinds().getFirst());
        }
    }

    @Test
    void shouldSayInOneLineWhyAKindIsNotAvailable() {
        IoKind missing = Loopback.kinds().contains(IoKind.KQUEUE) ? IoKind.EPOLL : IoKind.KQUEUE;
        assertThatThrownBy(() -> EventLoops.start(missing, 1, Duration.ZERO))
                .isInstanceOf(TransportUnavailable.class)
                .hasMessageStartingWith(missing.name().toLowerCase(java.util.Locale.ROOT) + " is not available here: ")
                .hasMessageNotContaining("\n")
                .hasMessageNotContaining("null");
    }

    @Test
    void shouldRefuseToStartWithoutALoop() {
        assertThatThrownBy(() -> EventLoops.start(IoKind.NIO, 0, Duration.ZERO))
                .hasMessage("event loops: must be at least 1, was 0");
    }
}
