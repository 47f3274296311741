package org.pgporter.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import org.apache.pekko.japi.function.Procedure;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;

/// A socket as a stream of chunks. Runs on the dispatcher of the socket's event loop, so it and the channel's
/// handler never run at the same time; the handler still has to enter the stage through a callback, because a
/// stage may only act in its own turn.
final class SocketSource extends GraphStage<SourceShape<ByteBuf>> {
    private final Outlet<ByteBuf> out = Outlet.create("SocketSource.out");
    private final SourceShape<ByteBuf> shape = SourceShape.of(out);
    private final Channel channel;
    private final SocketReader reader;

    SocketSource(Channel channel, SocketReader reader) {
        this.channel = channel;
        this.reader = reader;
    }

    @Override
    public SourceShape<ByteBuf> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes inheritedAttributes) {
        return new GraphStageLogic(shape) {
            /// Several arrivals before the stage's turn are one.
            private boolean called;

            private final AsyncCallback<SocketReader> arrived = createAsyncCallback((Procedure<SocketReader>) _ -> {
                called = false;
                deliver();
            });

            {
                setHandler(out, new AbstractOutHandler() {
                    @Override
                    public void onPull() {
                        deliver();
                    }

                    @Override
                    public void onDownstreamFinish(Throwable cause) {
                        // Whoever owns the socket closes it: he may still have to say why.
                        completeStage();
                    }
                });
            }

            @Override
            public void preStart() {
                reader.consumer(() -> {
                    if (!called) {
                        called = true;
                        arrived.invoke(reader);
                    }
                });
                channel.config().setAutoRead(true);
            }

            private void deliver() {
                if (isAvailable(out)) {
                    ByteBuf chunk = reader.poll(channel);
                    if (chunk != null) {
                        push(out, chunk);
                    }
                }
                if (reader.ended()) {
                    completeStage();
                }
            }

            @Override
            public void postStop() {
                reader.stop();
            }
        };
    }
}
