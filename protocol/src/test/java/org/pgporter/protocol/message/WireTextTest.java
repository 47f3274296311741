package org.pgporter.protocol.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WireTextTest {

    @Test
    void shouldReadUtf8AsUtf8() {
        String text = "größe \uD83D\uDC18";
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);

        assertThat(WireText.decode(bytes)).isEqualTo(text);
        assertThat(WireText.encode(text)).isEqualTo(bytes);
    }

    @Test
    void shouldKeepWhatIsNoUtf8ApartFromWhatIs() {
        String latin = WireText.decode("é".getBytes(StandardCharsets.ISO_8859_1));

        assertThat(latin).isNotEqualTo("é").hasSize(1);
    }

    @Test
    void shouldReturnEveryBytesUnchanged() {
        long seed = 7;
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(12)];
            random.nextBytes(bytes);
            assertThat(WireText.encode(WireText.decode(bytes)))
                    .as("seed %d, round %d", seed, i)
                    .isEqualTo(bytes);
        }
    }
}
