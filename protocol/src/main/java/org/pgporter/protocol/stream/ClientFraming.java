package org.pgporter.protocol.stream;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractGraphStageWithMaterializedValue;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;
import org.pgporter.protocol.codec.StartupDecoder;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupPacket;

/// Cuts what a client sends into startup packets and, behind the StartupMessage, into batches: one frame each until
/// the owner says through the [FramingControl] that the client is in. Takes the ownership of the buffers it is fed.
public final class ClientFraming
        extends AbstractGraphStageWithMaterializedValue<FlowShape<ByteBuf, Framed>, FramingControl> {

    private final FlowShape<ByteBuf, Framed> shape =
            FlowShape.of(Inlet.create("ClientFraming.in"), Outlet.create("ClientFraming.out"));
    private final WireLog log;

    public ClientFraming() {
        this(WireLog.NONE);
    }

    /// Everything emitted is shown to the log.
    public ClientFraming(WireLog log) {
        this.log = log;
    }

    @Override
    public FlowShape<ByteBuf, Framed> shape() {
        return shape;
    }

    @Override
    public Pair<GraphStageLogic, FramingControl> createLogicAndMaterializedValuePair(Attributes inheritedAttributes) {
        var logic = new Logic(shape, log);
        return Pair.create(logic, logic);
    }

    private static final class Logic extends FramingLogic implements FramingControl {
        private final StartupDecoder startup = new StartupDecoder();
        private final FrameDecoder frames = new FrameDecoder(DecodePolicy.LOGIN);
        private boolean started;
        private boolean frontend;

        /// Written by any thread, read before each decode.
        private volatile boolean loggedIn;

        Logic(FlowShape<ByteBuf, Framed> shape, WireLog log) {
            super(shape, log);
        }

        @Override
        public void loggedIn() {
            loggedIn = true;
        }

        @Override
        void feed(ByteBuf chunk) {
            if (started) {
                frames.feed(chunk);
            } else {
                startup.feed(chunk);
            }
        }

        @Override
        Optional<Framed> next() {
            return started ? nextMessages() : startup.next().map(this::startedBy);
        }

        private Optional<Framed> nextMessages() {
            if (loggedIn && !frontend) {
                frontend = true;
                frames.policy(DecodePolicy.FRONTEND);
            }
            return frames.next().map(Framed.Messages::new);
        }

        private Framed startedBy(StartupPacket packet) {
            boolean moreBytes = startup.hasBytes();
            if (packet instanceof StartupMessage) {
                started = true;
                startup.handOverTo(frames);
            }
            return new Framed.Startup(packet, moreBytes);
        }

        @Override
        boolean hasBytes() {
            return startup.hasBytes() || frames.hasBytes();
        }

        @Override
        void close() {
            startup.close();
            frames.close();
        }
    }
}
