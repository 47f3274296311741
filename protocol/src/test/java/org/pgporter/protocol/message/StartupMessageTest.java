package org.pgporter.protocol.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class StartupMessageTest {
    @Test
    void shouldCutNamesAsPostgresDoes() {
        String longest = "a".repeat(StartupMessage.LONGEST_NAME);
        assertThat(user(longest)).isEqualTo(longest);
        assertThat(user(longest + "b")).isEqualTo(longest);
        // 62 bytes and a character of two: the first of them stays.
        String cut = user("a".repeat(62) + "ä");
        assertThat(WireText.encode(cut)).hasSize(63).endsWith((byte) 0xc3);
    }

    @Test
    void shouldCutTheDatabaseToo() {
        assertThat(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "x", "database", "d".repeat(70))).database())
                .hasValue("d".repeat(63));
        assertThat(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "u".repeat(70))).database())
                .hasValue("u".repeat(63));
        assertThat(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "x", "database", "")).database())
                .hasValue("x");
    }

    private static String user(String name) {
        return new StartupMessage(ProtocolVersion.V3_0, Map.of("user", name))
                .user()
                .orElseThrow();
    }
}
