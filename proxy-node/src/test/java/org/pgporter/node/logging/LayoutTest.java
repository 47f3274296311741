package org.pgporter.node.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.config.LogFormat;
import org.slf4j.event.KeyValuePair;

class LayoutTest {
    private static final Instant TIME = Instant.parse("2026-11-21T10:00:00.123456Z");
    private final LoggerContext context = new LoggerContext();

    @Test
    void shouldWriteOneReadableLineOfText() {
        var line = text(event("session opened")
                .with(LogKeys.SESSION, 42)
                .with(LogKeys.DATABASE, "shop")
                .event());

        assertThat(line).isEqualTo("2026-11-21T10:00:00.123Z INFO  session opened session=42 database=shop\n");
    }

    @Test
    void shouldWriteTheSameKeysAsJson() {
        var line = json(event("session opened")
                .with(LogKeys.SESSION, 42)
                .with(LogKeys.DATABASE, "shop")
                .with("ok", true)
                .event());

        assertThat(line).isEqualTo("""
                        {"time":"2026-11-21T10:00:00.123Z","level":"INFO","message":"session opened",\
                        "session":42,"database":"shop","ok":true}
                        """);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '#',
            value = {
                "shop                  | user=shop",
                "naïve                 | user=naïve",
                "##                    | user=\"\"",
                "two words             | user=\"two words\"",
                "a=b                   | user=\"a=b\"",
                "say \"hi\"            | user=\"say \\\"hi\\\"\"",
                "it's                  | user=\"it's\"",
                "back\\slash           | user=\"back\\\\slash\"",
                "#a\nlevel=ERROR#      | user=\"a\\nlevel=ERROR\"",
                "#a\rb#                | user=\"a\\rb\"",
                "#a\tb#                | user=\"a\\tb\"",
                "#\u001b[31mred#       | user=\"\\u001b[31mred\"",
                "#nul\0#               | user=\"nul\\u0000\"",
                "#next\u0085line#      | user=\"next\\u0085line\"",
                "#line\u2028separator# | user=\"line\\u2028separator\"",
                "#paragraph\u2029#     | user=\"paragraph\\u2029\"",
                "#\u202egnp.exe#       | user=\"\\u202egnp.exe\"",
                "#no\u00a0break#       | user=\"no\\u00a0break\"",
                "#half\ud83d#          | user=\"half\\ud83d\"",
                "#\ud83d\ude00#        | user=\ud83d\ude00",
            })
    void shouldQuoteAndEscapeWhatCouldBreakALine(String value, String expected) {
        var line = text(event("login").with(LogKeys.USER, value).event());

        assertThat(line).isEqualTo("2026-11-21T10:00:00.123Z INFO  login " + expected + "\n");
    }

    @Test
    void shouldEscapeMessagesAndKeysToo() {
        var event = event("bad\r\n2026-11-21T10:00:00.123Z ERROR forged")
                .with("key with=blank\n", "x")
                .event();

        assertThat(text(event))
                .isEqualTo("2026-11-21T10:00:00.123Z INFO  bad\\r\\n2026-11-21T10:00:00.123Z ERROR forged"
                        + " key_with_blank_=x\n");
        assertThat(json(event)).contains("\"bad\\r\\n2026-").contains("\"key_with_blank_\":\"x\"");
    }

    @Test
    void shouldKeepAnExceptionInOneLine() {
        var event = event("failed").event();
        event.setThrowableProxy(
                new ch.qos.logback.classic.spi.ThrowableProxy(new IllegalStateException("first\nsecond")));

        assertThat(text(event))
                .contains(" error=\"java.lang.IllegalStateException: first\\nsecond\" trace=\"")
                .hasLineCount(1);
        assertThat(json(event))
                .contains("\"error\":\"java.lang.IllegalStateException: first\\nsecond\"")
                .hasLineCount(1);
    }

    @Test
    void shouldNameForeignLoggersOnly() {
        var foreign = event("hello").event();
        foreign.setLoggerName("org.apache.pekko.X");

        assertThat(text(foreign)).endsWith("hello logger=org.apache.pekko.X\n");
        assertThat(text(event("hello").event())).doesNotContain("logger=");
    }

    @Test
    void shouldCutLongValues() {
        var line = text(event("long")
                .with(LogKeys.USER, "x".repeat(Escapes.MAX_VALUE_LENGTH + 5))
                .event());

        assertThat(line).endsWith("x...(5 more)\"\n").hasSizeLessThan(Escapes.MAX_VALUE_LENGTH + 100);
    }

    @Test
    void shouldNeverBreakALineWhateverTheValue() {
        var seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 2_000; round++) {
            var value = new StringBuilder();
            for (int i = random.nextInt(20); i > 0; i--) {
                value.append((char) (random.nextBoolean() ? random.nextInt(0x100) : random.nextInt(0x10000)));
            }
            var event = event("x").with(LogKeys.USER, value.toString()).event();
            for (var line : new String[] {text(event), json(event)}) {
                var body = line.substring(0, line.length() - 1);
                assertThat(line).as("seed %d", seed).endsWith("\n");
                assertThat(body.codePoints().noneMatch(LayoutTest::isDangerous))
                        .as("seed %d, line %s", seed, line)
                        .isTrue();
            }
        }
    }

    private static boolean isDangerous(int point) {
        return Character.isISOControl(point)
                || point == 0x2028
                || point == 0x2029
                || Character.getType(point) == Character.FORMAT
                || Character.getType(point) == Character.SURROGATE;
    }

    private static String text(LoggingEvent event) {
        return LogConfiguration.layout(LogFormat.TEXT).doLayout(event);
    }

    private static String json(LoggingEvent event) {
        return LogConfiguration.layout(LogFormat.JSON).doLayout(event);
    }

    private EventBuilder event(String message) {
        var event = new LoggingEvent();
        event.setLoggerContext(context);
        event.setLoggerName("org.pgporter.Test");
        event.setLevel(Level.INFO);
        event.setMessage(message);
        event.setInstant(TIME);
        return new EventBuilder(event);
    }

    private record EventBuilder(LoggingEvent event) {
        EventBuilder with(String key, Object value) {
            event.addKeyValuePair(new KeyValuePair(key, value));
            return this;
        }
    }
}
