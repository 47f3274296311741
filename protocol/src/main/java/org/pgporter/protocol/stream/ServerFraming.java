package org.pgporter.protocol.stream;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;

/// Cuts what a server sends into batches, from its first typed message on. The one byte answers to SSLRequest and
/// GSSENCRequest are not for this stage. Takes the ownership of the buffers it is fed.
public final class ServerFraming extends GraphStage<FlowShape<ByteBuf, Framed>> {

    private final FlowShape<ByteBuf, Framed> shape =
            FlowShape.of(Inlet.create("ServerFraming.in"), Outlet.create("ServerFraming.out"));
    private final WireLog log;

    public ServerFraming() {
        this(WireLog.NONE);
    }

    /// Everything emitted is shown to the log.
    public ServerFraming(WireLog log) {
        this.log = log;
    }

    @Override
    public FlowShape<ByteBuf, Framed> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes inheritedAttributes) {
        return new Logic(shape, log);
    }

    private static final class Logic extends FramingLogic {
        private final FrameDecoder frames = new FrameDecoder(DecodePolicy.BACKEND);

        Logic(FlowShape<ByteBuf, Framed> shape, WireLog log) {
            super(shape, log);
        }

        @Override
        void feed(ByteBuf chunk) {
            frames.feed(chunk);
        }

        @Override
        Optional<Framed> next() {
            return frames.next().map(Framed.Messages::new);
        }

        @Override
        boolean hasBytes() {
            return frames.hasBytes();
        }

        @Override
        void close() {
            frames.close();
        }
    }
}
