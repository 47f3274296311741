package org.pgporter.node.transport;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.util.List;
import org.slf4j.LoggerFactory;

/// Watches every buffer while it is open: those that were collected without having been released are in Netty's
/// log.
final class Leaks implements AutoCloseable {
    private static final int ROUNDS = 5;
    private static final int BUFFERS = 200;

    private final ResourceLeakDetector.Level before = ResourceLeakDetector.getLevel();
    private final Logger log = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

    Leaks() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        lines.start();
        log.addAppender(lines);
    }

    /// What has been lost so far. The detector reports when it is asked for the next buffer.
    List<String> found() {
        for (int round = 0; round < ROUNDS; round++) {
            System.gc();
            for (int i = 0; i < BUFFERS; i++) {
                ByteBuf buffer = ByteBufAllocator.DEFAULT.buffer();
                buffer.release();
            }
        }
        return List.copyOf(lines.list).stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(line -> line.startsWith("LEAK"))
                .toList();
    }

    @Override
    public void close() {
        log.detachAppender(lines);
        ResourceLeakDetector.setLevel(before);
    }
}
