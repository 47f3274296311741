package org.pgporter.node.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.pgporter.config.LogFormat;
import org.pgporter.config.LogLevel;
import org.slf4j.LoggerFactory;

class LogConfigurationTest {
    @Test
    void shouldWriteEverythingThatWaitsOnClose() {
        // Given
        var out = new ByteArrayOutputStream();
        var context = context();
        LogConfiguration.configure(context, LogFormat.TEXT, LogLevel.INFO, out);

        // When
        var log = context.getLogger("org.pgporter.Test");
        for (int i = 0; i < 500; i++) {
            log.atInfo().addKeyValue(LogKeys.COUNT, i).log("tick");
        }
        log.debug("unseen");
        context.getLogger("org.apache.pekko.Noise").info("unseen");
        context.getLogger("org.apache.pekko.Noise").warn("seen");
        context.stop();

        // Then
        assertThat(out.toString(StandardCharsets.UTF_8))
                .hasLineCount(501)
                .contains(" INFO  tick count=499\n")
                .endsWith(" WARN  seen logger=org.apache.pekko.Noise\n")
                .doesNotContain("unseen");
    }

    @Test
    void shouldKeepLibrariesNoLouderThanTheRoot() {
        var context = context();
        LogConfiguration.configure(context, LogFormat.JSON, LogLevel.ERROR, new ByteArrayOutputStream());

        assertThat(context.getLogger("org.apache.pekko").isWarnEnabled()).isFalse();
        context.stop();
    }

    @Test
    void shouldBeFoundByLogback() {
        assertThat(LoggerFactory.getLogger("org.pgporter.Test").isDebugEnabled())
                .as("logback's own default would print debug lines")
                .isFalse();
    }

    @Test
    void shouldWriteToStandardErrorAndLeaveItOpenWhenReplaced() {
        // Given
        var before = System.err;
        var bytes = new ByteArrayOutputStream();
        System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        var log = LoggerFactory.getLogger("org.pgporter.Test");
        try {
            // When: each replacement writes what waits
            LogConfiguration.apply(LogFormat.JSON, LogLevel.INFO);
            log.info("first");
            LogConfiguration.apply(LogFormat.TEXT, LogLevel.INFO);
            log.info("second");
            LogConfiguration.apply(LogFormat.TEXT, LogLevel.INFO);
            System.err.println("third");
        } finally {
            System.setErr(before);
        }

        // Then
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
                .satisfiesExactly(
                        first -> assertThat(first).endsWith("\"message\":\"first\"}"),
                        second -> assertThat(second).endsWith(" INFO  second"),
                        third -> assertThat(third).isEqualTo("third"));
    }

    private static LoggerContext context() {
        var context = new LoggerContext();
        context.setMDCAdapter(new LogbackMDCAdapter());
        context.start();
        return context;
    }
}
