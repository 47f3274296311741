package org.pgporter.node.session;

import java.util.function.Consumer;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.protocol.stream.Framed;

/// Answers SSLRequest and GSSENCRequest and steps aside: what it lets through has been negotiated. Both are
/// refused with `N`; this is where TLS will be installed below the framing. Each may be asked once, and nothing
/// may have arrived behind the request, as in PostgreSQL's `ProcessStartupPacket`: such bytes were not sent by
/// whoever waits for the answer.
final class EncryptionNegotiation extends GraphStage<FlowShape<Framed, Framed>> {
    private static final byte REFUSED = 'N';

    private final Inlet<Framed> in = Inlet.create("EncryptionNegotiation.in");
    private final Outlet<Framed> out = Outlet.create("EncryptionNegotiation.out");
    private final FlowShape<Framed, Framed> shape = FlowShape.of(in, out);
    private final Consumer<Byte> answer;

    /// @param answer sends one byte to the client
    EncryptionNegotiation(Consumer<Byte> answer) {
        this.answer = answer;
    }

    @Override
    public FlowShape<Framed, Framed> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes inheritedAttributes) {
        return new GraphStageLogic(shape) {
            private boolean sslAsked;
            private boolean gssAsked;

            {
                setHandler(in, new AbstractInHandler() {
                    @Override
                    public void onPush() {
                        Framed element = grab(in);
                        if (!(element instanceof Framed.Startup(var packet, var moreBytes))) {
                            push(out, element);
                            return;
                        }
                        switch (packet) {
                            case SslRequest _ -> {
                                refuse(packet, sslAsked, moreBytes, "SSL request");
                                sslAsked = true;
                            }
                            case GssEncRequest _ -> {
                                refuse(packet, gssAsked, moreBytes, "GSSAPI encryption request");
                                gssAsked = true;
                            }
                            default -> push(out, element);
                        }
                    }
                });
                setHandler(out, new AbstractOutHandler() {
                    @Override
                    public void onPull() {
                        pull(in);
                    }
                });
            }

            private void refuse(StartupPacket packet, boolean again, boolean moreBytes, String what) {
                if (again) {
                    int code = packet instanceof SslRequest ? SslRequest.CODE : GssEncRequest.CODE;
                    violation(
                            SqlState.FEATURE_NOT_SUPPORTED,
                            "unsupported frontend protocol " + (code >>> 16) + "." + (code & 0xffff)
                                    + ": server supports 3.0 to 3.2");
                } else if (moreBytes) {
                    answer.accept(REFUSED);
                    violation(SqlState.PROTOCOL_VIOLATION, "received unencrypted data after " + what);
                } else {
                    answer.accept(REFUSED);
                    pull(in);
                }
            }

            private void violation(SqlState sqlState, String message) {
                push(out, new Framed.Violated(new ProtocolViolation(sqlState, message)));
                completeStage();
            }
        };
    }
}
