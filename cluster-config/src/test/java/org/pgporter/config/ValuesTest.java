package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {
    @ParameterizedTest
    @CsvSource({"0,0", "7,7", "7B,7", "1k,1024", "1KB,1024", "2 m,2097152", "1Gb,1073741824"})
    void shouldReadSizes(String text, long bytes) {
        assertThat(ByteSize.parse(text)).contains(new ByteSize(bytes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1.5M", "K", "1T", "1 KiB", "999999999999999999G"})
    void shouldRefuseOtherSizes(String text) {
        assertThat(ByteSize.parse(text)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"250ms,PT0.25S", "5 S,PT5S", "90,PT0.09S", "2d,PT48H", "1H,PT1H", "3m,PT3M"})
    void shouldReadDurations(String text, Duration expected) { // checklist 115
        assertThat(Durations.parse(text, Duration.ofMillis(1))).contains(expected);
    }

    /// A timer with a longer delay would be refused when it is started.
    @ParameterizedTest
    @ValueSource(strings = {"241d", "36500d", "20736000001"})
    void shouldRefuseDurationsThatNoTimerTakes(String text) {
        assertThat(Durations.parse(text, Duration.ofMillis(1))).isEmpty();
        assertThat(Durations.parse("240d", Duration.ofMillis(1))).contains(Duration.ofDays(240));
    }

    @Test
    void shouldWriteDurationsAsTheyAreRead() {
        for (String text : List.of("1ms", "1500ms", "90s", "5m", "3h", "2d")) {
            assertThat(Durations.parse(text, Duration.ofMillis(1)).map(Durations::format))
                    .contains(text);
        }
    }

    @Test
    void shouldReadFileModes() {
        assertThat(FileMode.parse("0640").orElseThrow().permissions())
                .isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
        assertThat(FileMode.parse("771").orElseThrow()).hasToString("0771");
        assertThat(FileMode.parse("1777")).isEmpty();
        assertThat(FileMode.parse("0800")).isEmpty();
    }

    @Test
    void shouldMeasureTypingMistakes() {
        assertThat(NearestKey.distance("pool_sise", "pool_size")).isOne();
        assertThat(NearestKey.distance("", "abc")).isEqualTo(3);
        assertThat(NearestKey.of("pol_sie", List.of("pool_size", "pool_mode"))).contains("pool_size");
        assertThat(NearestKey.of("prot", List.of("port", "host"))).contains("port");
        assertThat(NearestKey.of("x", List.of("io"))).isEmpty();
    }
}
