package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
class EventLoopsIT {
    private record Ball(int hits, ActorRef<Ball> from) {}

    static Stream<IoKind> kinds() {
        return Loops.kinds();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldRunActorsOnTheThreadOfTheirLoop(IoKind kind) throws Exception {
        try (var loops = Loops.start(kind, 2)) {
            for (int i = 0; i < 2; i++) {
                // Given
                Thread thread =
                        loops.loops.loop(i).submit(Thread::currentThread).get();
                var seen = new CompletableFuture<Thread>();

                // When
                spawn(loops, i, Behaviors.<String>receiveMessage(_ -> {
                            seen.complete(Thread.currentThread());
                            return Behaviors.stopped();
                        }))
                        .tell("go");

                // Then
                assertThat(Loops.done(seen)).isSameAs(thread);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldKeepAConversationOfTwoActorsOfALoopOnItsThread(IoKind kind) throws Exception {
        try (var loops = Loops.start(kind, 2)) {
            // Given
            Thread thread = loops.loops.loop(1).submit(Thread::currentThread).get();
            var strangers = new AtomicInteger();
            var finished = new CompletableFuture<Integer>();
            var left = spawn(loops, 1, player(thread, strangers, finished));
            var right = spawn(loops, 1, player(thread, strangers, finished));

            // When
            left.tell(new Ball(0, right));

            // Then
            assertThat(Loops.done(finished)).isEqualTo(10_000);
            assertThat(strangers).hasValue(0);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldEndWithinSecondsWithConnectionsAndActorsAlive(IoKind kind) throws Exception {
        // Given
        var loops = Loops.start(kind, 2);
        var listener = loops.listen();
        List<java.net.Socket> clients = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            clients.add(Loops.connect(listener));
            var server = loops.accept();
            loops.read(server, Sink.foreach(server::writeAndFlush));
            spawn(loops, i % 2, Behaviors.<String>ignore());
        }

        // When
        long start = System.nanoTime();
        loops.close();

        // Then
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(loops.loops.loop(0).isTerminated()).isTrue();
        assertThat(loops.loops.loop(1).isTerminated()).isTrue();
        for (var client : clients) {
            client.close();
        }
    }

    @Test
    void shouldSayThatAKindDoesNotWorkHere() {
        List<IoKind> working = Loops.kinds().toList();
        for (IoKind kind : List.of(IoKind.IO_URING, IoKind.EPOLL, IoKind.KQUEUE)) {
            if (!working.contains(kind)) {
                assertThatThrownBy(() -> EventLoops.start(kind, 1))
                        .isInstanceOf(TransportUnavailable.class)
                        .hasMessageStartingWith(
                                kind.name().toLowerCase(java.util.Locale.ROOT) + " is not available here: ");
            }
        }
        assertThat(working).contains(IoKind.NIO);
        assertThat(working.size()).as("no machine has all kinds").isLessThan(4);
    }

    @Test
    void shouldChooseTheFirstKindThatWorks() {
        try (var loops = EventLoops.start(IoKind.AUTO, 1)) {
            assertThat(loops.kind()).isEqualTo(Loops.kinds().findFirst().orElseThrow());
        }
    }

    private static org.apache.pekko.actor.typed.Behavior<Ball> player(
            Thread thread, AtomicInteger strangers, CompletableFuture<Integer> finished) {
        return Behaviors.receive((context, ball) -> {
            if (Thread.currentThread() != thread) {
                strangers.incrementAndGet();
            }
            if (ball.hits() == 10_000) {
                finished.complete(ball.hits());
            } else {
                ball.from().tell(new Ball(ball.hits() + 1, context.getSelf()));
            }
            return Behaviors.same();
        });
    }

    private static <T> ActorRef<T> spawn(Loops loops, int loop, org.apache.pekko.actor.typed.Behavior<T> behavior) {
        Props props = DispatcherSelector.fromConfig(loops.loops.dispatcher(loop));
        return loops.system.systemActorOf(behavior, "test-" + NAMES.incrementAndGet(), props);
    }

    private static final AtomicInteger NAMES = new AtomicInteger();
}
