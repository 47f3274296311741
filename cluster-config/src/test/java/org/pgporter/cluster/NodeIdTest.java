package org.pgporter.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Random;
import org.junit.jupiter.api.Test;

class NodeIdTest {
    @Test
    void shouldKeepToItsBits() {
        assertThatIllegalArgumentException().isThrownBy(() -> new NodeId(1024, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new NodeId(-1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new NodeId(0, -1));
        assertThat(new NodeId(1023, Integer.MAX_VALUE)).hasToString("1023@7fffffff");
    }

    @Test
    void shouldBeAnotherAfterEachStart() {
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            assertThat(NodeId.startingNow(7, random)).isNotEqualTo(NodeId.startingNow(7, random));
        }
    }
}
