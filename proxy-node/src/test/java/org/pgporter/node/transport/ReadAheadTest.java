package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.WireMessage;
import org.pgporter.protocol.stream.Framed;

final class ReadAheadTest {
    private static final String END = "end";

    @SuppressWarnings("NullAway.Init")
    private static ActorSystem system;

    @BeforeAll
    static void start() {
        system = ActorSystem.create("read-ahead");
    }

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    /// A stream with a receiver that writes down what it gets, and a count of what the stream has been asked for.
    private static final class World {
        final LinkedBlockingQueue<Object> received = new LinkedBlockingQueue<>();
        final LinkedBlockingQueue<Framed> read = new LinkedBlockingQueue<>();
        final ReadAhead reading = new ReadAhead(new ReadAhead.Receiver() {
            @Override
            public void received(Framed framed, Ack ack) {
                received.add(framed);
            }

            @Override
            public void ended() {
                received.add(END);
            }
        });
        final BoundedSourceQueue<Framed> socket;
        final java.util.concurrent.CompletionStage<Done> over;

        World() {
            var running = Source.<Framed>queue(100)
                    .map(framed -> {
                        read.add(framed);
                        return framed;
                    })
                    .watchTermination(Keep.both())
                    .toMat(reading.sink(), Keep.left())
                    .run(system);
            socket = running.first();
            over = running.second();
        }

        Object next() throws InterruptedException {
            Object next = received.poll(20, TimeUnit.SECONDS);
            assertThat(next).as("nothing came").isNotNull();
            return next;
        }

        void reads(Framed framed) throws InterruptedException {
            assertThat(read.poll(20, TimeUnit.SECONDS)).isSameAs(framed);
        }
    }

    private static Framed.Messages batch(int number) {
        WireMessage query = new Query(Integer.toString(number));
        return new Framed.Messages(Batch.of(query));
    }

    @Test
    void shouldReadNothingAheadDuringALogin() throws Exception {
        var world = new World();
        Framed first = batch(1);
        Framed second = batch(2);
        world.socket.offer(first);
        world.socket.offer(second);
        assertThat(world.next()).isSameAs(first);
        world.reads(first);
        assertThat(world.read).isEmpty();

        world.reading.acknowledge();
        assertThat(world.next()).isSameAs(second);
        world.reads(second);
    }

    @Test
    void shouldReadOneBatchAheadAndHandItOverWhenTheFirstIsAcknowledged() throws Exception {
        var world = new World();
        world.reading.readAhead();
        Framed first = batch(1);
        Framed second = batch(2);
        Framed third = batch(3);
        for (Framed framed : new Framed[] {first, second, third}) {
            world.socket.offer(framed);
        }
        assertThat(world.next()).isSameAs(first);
        world.reads(first);
        world.reads(second);
        assertThat(world.received).isEmpty();
        assertThat(world.read).isEmpty();

        world.reading.acknowledge();
        assertThat(world.next()).isSameAs(second);
        world.reads(third);
        assertThat(world.received).isEmpty();

        world.reading.acknowledge();
        assertThat(world.next()).isSameAs(third);
    }

    @Test
    void shouldTellOfTheEndBehindWhatIsHeld() throws Exception {
        var world = new World();
        world.reading.readAhead();
        Framed first = batch(1);
        Framed second = batch(2);
        world.socket.offer(first);
        world.socket.offer(second);
        world.socket.complete();
        assertThat(world.next()).isSameAs(first);
        world.reads(first);
        world.reads(second);
        assertThat(world.received).isEmpty();

        world.reading.acknowledge();
        assertThat(world.next()).isSameAs(second);
        assertThat(world.next()).isEqualTo(END);
    }

    @Test
    void shouldTellOfTheEndAlthoughTheLastBatchIsNotAcknowledged() throws Exception {
        var world = new World();
        Framed last = batch(1);
        world.socket.offer(last);
        assertThat(world.next()).isSameAs(last);
        world.socket.complete();
        assertThat(world.next()).isEqualTo(END);
    }

    @Test
    void shouldReleaseWhatItHoldsAndCancelWhenItIsStopped() throws Exception {
        var world = new World();
        world.reading.readAhead();
        Framed first = batch(1);
        Framed.Messages second = batch(2);
        world.socket.offer(first);
        world.socket.offer(second);
        assertThat(world.next()).isSameAs(first);
        world.reads(first);
        world.reads(second);

        world.reading.stop();
        world.over.toCompletableFuture().get(20, TimeUnit.SECONDS);
        org.awaitility.Awaitility.await().until(() -> second.batch().bytes().refCnt() == 0);
        assertThat(world.received).isEmpty();
    }

    @Test
    void shouldCancelAStreamThatStartsAfterTheStop() throws Exception {
        var reading = new ReadAhead(new ReadAhead.Receiver() {
            @Override
            public void received(Framed framed, Ack ack) {
                throw new AssertionError("received " + framed);
            }

            @Override
            public void ended() {
                throw new AssertionError("ended");
            }
        });
        reading.stop();
        var running = Source.<Framed>queue(1)
                .watchTermination(Keep.right())
                .toMat(reading.sink(), Keep.left())
                .run(system);
        running.toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    /// Acknowledgements from another thread meet the arrival of the next batch at every moment.
    @Test
    void shouldLoseNothingAndHandOverOneAtATime() throws Exception {
        int count = 20_000;
        var inHand = new AtomicInteger();
        var toAcknowledge = new LinkedBlockingQueue<Ack>();
        var failures = new LinkedBlockingQueue<String>();
        var arrived = new LinkedBlockingQueue<Framed>();
        var reading = new ReadAhead(new ReadAhead.Receiver() {
            @Override
            public void received(Framed framed, Ack ack) {
                if (inHand.incrementAndGet() != 1) {
                    failures.add("handed over before the last was acknowledged");
                }
                arrived.add(framed);
                toAcknowledge.add(ack);
            }

            @Override
            public void ended() {
                toAcknowledge.add(Ack.NONE);
            }
        });
        reading.readAhead();
        Framed one = batch(1);
        Source.repeat(one).take(count).runWith(reading.sink(), system);
        for (Ack ack = toAcknowledge.poll(20, TimeUnit.SECONDS);
                ack != null && ack != Ack.NONE;
                ack = toAcknowledge.poll(20, TimeUnit.SECONDS)) {
            inHand.decrementAndGet();
            ack.acknowledge();
        }
        assertThat(failures).isEmpty();
        assertThat(arrived).hasSize(count);
    }
}
