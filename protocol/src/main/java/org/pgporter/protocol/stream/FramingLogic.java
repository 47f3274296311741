package org.pgporter.protocol.stream;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.pgporter.protocol.message.ProtocolViolation;

/// What both framing stages do: decode on demand, ask for bytes only when nothing is left to emit, and release on
/// every way out.
abstract class FramingLogic extends GraphStageLogic {

    private final FlowShape<ByteBuf, Framed> shape;
    private final WireLog log;

    FramingLogic(FlowShape<ByteBuf, Framed> shape, WireLog log) {
        super(shape);
        this.shape = shape;
        this.log = log;
        setHandler(shape.in(), new AbstractInHandler() {
            @Override
            public void onPush() {
                feed(grab(shape.in()));
                advance();
            }

            @Override
            public void onUpstreamFinish() {
                // What is complete still goes out on demand; a frame cut off by the end is dropped.
                if (isAvailable(shape.out())) {
                    advance();
                } else if (!hasBytes()) {
                    completeStage();
                }
            }
        });
        setHandler(shape.out(), new AbstractOutHandler() {
            @Override
            public void onPull() {
                advance();
            }
        });
    }

    /// Takes bytes and their ownership.
    abstract void feed(ByteBuf chunk);

    /// The next element, if the bytes at hand make one.
    abstract Optional<Framed> next();

    /// True if bytes are at hand that have not been emitted.
    abstract boolean hasBytes();

    /// Releases everything.
    abstract void close();

    @Override
    public void postStop() {
        close();
    }

    private void emit(Framed framed) {
        log.emitted(framed);
        push(shape.out(), framed);
    }

    private void advance() {
        Optional<Framed> next;
        try {
            next = next();
        } catch (ProtocolViolation violation) {
            emit(new Framed.Violated(violation));
            completeStage();
            return;
        }
        if (next.isPresent()) {
            emit(next.get());
        } else if (isClosed(shape.in())) {
            completeStage();
        } else {
            pull(shape.in());
        }
    }
}
