package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

final class AcceptPauseTest {
    private final Logger log = (Logger) LoggerFactory.getLogger(AcceptPause.class);
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final EmbeddedChannel listening = new EmbeddedChannel(new AcceptPause());

    @BeforeEach
    void watchTheLog() {
        lines.start();
        log.addAppender(lines);
        listening.freezeTime();
    }

    @AfterEach
    void leaveTheLog() {
        log.detachAppender(lines);
        listening.finishAndReleaseAll();
    }

    @Test
    void shouldPauseAcceptingForAWhile() { // checklist 26
        failToAccept();
        assertThat(listening.config().isAutoRead()).isFalse();
        pass(AcceptPause.PAUSE_SECONDS * 1000 - 1);
        assertThat(listening.config().isAutoRead()).isFalse();
        pass(1);
        assertThat(listening.config().isAutoRead()).isTrue();
        listening.checkException();
    }

    @Test
    void shouldTellOnceForEachTimeOfTrouble() { // checklist 26
        for (int i = 0; i < 3; i++) {
            failToAccept();
            failToAccept();
            pass(AcceptPause.PAUSE_SECONDS * 1000);
        }
        assertThat(lines.list).hasSize(1);
        listening.writeInbound("accepted");
        assertThat(listening.<String>readInbound()).isEqualTo("accepted");
        failToAccept();
        assertThat(lines.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly("accepting connections pauses", "accepting connections pauses");
    }

    private void failToAccept() {
        listening.pipeline().fireExceptionCaught(new IOException("Too many open files"));
    }

    private void pass(long millis) {
        listening.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        listening.runScheduledPendingTasks();
    }
}
