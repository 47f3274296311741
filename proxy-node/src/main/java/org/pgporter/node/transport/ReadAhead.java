package org.pgporter.node.transport;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.SinkShape;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.stream.Framed;

/// The end of a connection's stream at the actor that owns the connection. Hands over one batch, and the next one
/// when that has been acknowledged; meanwhile it reads one batch ahead and no further, so that the socket stops
/// when its receiver is slow. Until [#readAhead] it reads nothing ahead: during a login the answer to one message
/// decides how the next is to be read.
///
/// Most batches are acknowledged before the next one is there. Then an acknowledgement is one compare-and-set,
/// and no message to the stream, which would cost a turn of its mailbox in each transaction and direction.
///
/// ```
///            handed over                another batch comes, or nothing is read ahead
///   FREE ───────────────► HANDED_OVER ────────────────────────────────────────────────► HELD
///    ▲                      │     ▲                                                       │
///    └──────────────────────┘     └───────────────────────────────────────────────────────┘
///         acknowledged              acknowledged: that one is handed over, or read
/// ```
public final class ReadAhead implements Ack {
    /// Who reads.
    public interface Receiver {
        /// @param ack this object
        void received(Framed framed, Ack ack);

        /// Everything has been handed over, and nothing more will come.
        void ended();
    }

    private enum State {
        FREE,
        HANDED_OVER,
        HELD,
        STOPPED
    }

    private final Receiver receiver;
    private final AtomicReference<State> state = new AtomicReference<>(State.FREE);

    private volatile boolean ahead;

    /// Null until the stream runs.
    private volatile @Nullable AsyncCallback<NotUsed> turn;

    public ReadAhead(Receiver receiver) {
        this.receiver = receiver;
    }

    /// To be run once.
    public Sink<Framed, NotUsed> sink() {
        return Sink.fromGraph(new Stage());
    }

    @Override
    public void acknowledge() {
        if (!state.compareAndSet(State.HANDED_OVER, State.FREE) && state.get() == State.HELD) {
            callStage();
        }
    }

    /// From now on a batch is read ahead.
    public void readAhead() {
        ahead = true;
    }

    /// Nobody receives any more. What is held is released, and the stream is cancelled.
    public void stop() {
        state.set(State.STOPPED);
        callStage();
    }

    private void callStage() {
        AsyncCallback<NotUsed> running = turn;
        if (running != null) {
            running.invoke(NotUsed.getInstance());
        }
    }

    private final class Stage extends GraphStage<SinkShape<Framed>> {
        private final Inlet<Framed> in = Inlet.create("ReadAhead.in");
        private final SinkShape<Framed> shape = SinkShape.of(in);

        @Override
        public SinkShape<Framed> shape() {
            return shape;
        }

        @Override
        public GraphStageLogic createLogic(Attributes inheritedAttributes) {
            return new Logic(shape);
        }
    }

    private final class Logic extends GraphStageLogic {
        private final Inlet<Framed> in;
        private @Nullable Framed held;

        Logic(SinkShape<Framed> shape) {
            super(shape);
            this.in = shape.in();
            setHandler(in, new AbstractInHandler() {
                @Override
                public void onPush() {
                    take(grab(in));
                }

                @Override
                public void onUpstreamFinish() {
                    if (held == null) {
                        end();
                    }
                }

                @Override
                public void onUpstreamFailure(Throwable failure) {
                    onUpstreamFinish();
                }
            });
        }

        @Override
        public void preStart() {
            setKeepGoing(true); // what is held still has to be handed over when nothing more comes
            turn = createAsyncCallback(_ -> onTurn());
            if (state.get() == State.STOPPED) {
                completeStage();
            } else {
                pull(in);
            }
        }

        private void take(Framed framed) {
            if (!ahead) {
                if (state.compareAndSet(State.FREE, State.HELD)) {
                    receiver.received(framed, ReadAhead.this);
                    return;
                }
            } else if (state.compareAndSet(State.FREE, State.HANDED_OVER)) {
                receiver.received(framed, ReadAhead.this);
                pull(in);
                return;
            }
            held = framed;
            if (!state.compareAndSet(State.HANDED_OVER, State.HELD)) {
                onTurn(); // acknowledged just now, or stopped
            }
        }

        private void onTurn() {
            if (state.get() == State.STOPPED) {
                completeStage();
                return;
            }
            Framed framed = held;
            if (framed == null) {
                if (state.compareAndSet(State.HELD, State.FREE) && !isClosed(in)) {
                    pull(in);
                }
                return;
            }
            held = null;
            // Stopped in between: the receiver is gone, and what it is told is released among the dead letters.
            state.updateAndGet(now -> now == State.STOPPED ? now : State.HANDED_OVER);
            receiver.received(framed, ReadAhead.this);
            if (isClosed(in)) {
                end();
            } else {
                pull(in);
            }
        }

        private void end() {
            receiver.ended();
            completeStage();
        }

        @Override
        public void postStop() {
            if (held instanceof Framed.Messages(Batch batch)) {
                batch.release();
            }
            held = null;
        }
    }
}
