package org.pgporter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SignalsTest {
    @Test
    void shouldTellTheFirstStopSignalFromLaterOnes() throws Exception {
        // Given
        var heard = new LinkedBlockingQueue<String>();
        Signals.onStop(name -> heard.add("first " + name), name -> heard.add("again " + name));
        Signals.onHangup(() -> heard.add("HUP"));

        // When, Then: each is awaited, because signals that wait together may be merged
        raise("INT");
        assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("first INT");
        raise("HUP");
        assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("HUP");
        raise("TERM");
        assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("again TERM");
        raise("INT");
        assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("again INT");
    }

    private static void raise(String name) throws ReflectiveOperationException {
        var signal = Class.forName("sun.misc.Signal");
        signal.getMethod("raise", signal)
                .invoke(null, signal.getConstructor(String.class).newInstance(name));
    }
}
