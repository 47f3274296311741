package org.pgporter.protocol.stream;

import java.util.List;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes what passes to the log at TRACE, one line for each marked frame and each opaque run between them.
/// Passwords, proofs, keys, queries and their values are never written. While TRACE is off it costs one
/// check an element.
public final class WireLog extends GraphStage<FlowShape<Framed, Framed>> {

    private static final Logger LOG = LoggerFactory.getLogger(WireLog.class);

    private final FlowShape<Framed, Framed> shape =
            FlowShape.of(Inlet.create("WireLog.in"), Outlet.create("WireLog.out"));
    private final Logger log;
    private final String connection;

    /// `connection` names the connection and the direction in each line, such as `client-7>`.
    public WireLog(String connection) {
        this(connection, LOG);
    }

    WireLog(String connection, Logger log) {
        this.connection = connection;
        this.log = log;
    }

    @Override
    public FlowShape<Framed, Framed> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes inheritedAttributes) {
        return new Logic();
    }

    private final class Logic extends GraphStageLogic {
        Logic() {
            super(shape);
            setHandler(shape.in(), new AbstractInHandler() {
                @Override
                public void onPush() {
                    Framed framed = grab(shape.in());
                    if (log.isTraceEnabled()) {
                        List<String> lines = WireLines.of(framed);
                        lines.forEach(line -> log.trace("wire connection={} {}", connection, line));
                    }
                    push(shape.out(), framed);
                }
            });
            setHandler(shape.out(), new AbstractOutHandler() {
                @Override
                public void onPull() {
                    pull(shape.in());
                }
            });
        }
    }
}
