package org.pgporter.integration.differential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.config.PoolMode;
import org.pgporter.integration.differential.Conversation.Await;
import org.pgporter.integration.differential.Conversation.AwaitClosed;
import org.pgporter.integration.differential.Conversation.Deviation;
import org.pgporter.integration.differential.Conversation.Say;
import org.pgporter.integration.differential.Heard.Line;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.FunctionCall;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.RecordingClient;

class ConversationReaderTest {
    @Test
    void shouldReadWhatItWrites() {
        // Given
        var text = """
                # a comment
                conversation E1 first
                    setup insert into item values (1)
                    startup application_name two words
                    deviates both: because
                    Query select '{ab*3}'
                    await G|Z*2
                    b> 2 times Sync
                    b> await closed

                conversation second
                    Sync
                """;

        // When
        var read = ConversationReader.read("here", text);

        // Then
        assertThat(read).hasSize(2);
        var first = read.getFirst();
        assertThat(first.name()).isEqualTo("E1 first");
        assertThat(first.origin()).isEqualTo("here:2");
        assertThat(first.setup()).containsExactly("insert into item values (1)");
        assertThat(first.startup()).isEqualTo(Map.of("application_name", "two words"));
        assertThat(first.deviation(PoolMode.SESSION)).contains(new Deviation(PoolMode.SESSION, "because"));
        assertThat(first.clients()).containsExactly("a", "b");
        var sync = new Say("b", bytes(RecordingClient.encoded(new Sync())));
        assertThat(first.steps())
                .containsExactly(
                        new Say("a", bytes(RecordingClient.encoded(new Query("select 'ababab'")))),
                        new Await("a", "GZ", 2),
                        sync,
                        sync,
                        new AwaitClosed("b"));
        assertThat(ConversationReader.read("here", "\n" + first.text())).containsExactly(first);
    }

    @Test
    void shouldReadMessages() {
        assertThat(MessageText.bytes("Parse - : select 1"))
                .isEqualTo(RecordingClient.encoded(new Parse("", "select 1", List.of())));
        assertThat(MessageText.bytes("Parse \"a b\" int4,-,99 : select $1"))
                .isEqualTo(RecordingClient.encoded(new Parse("a b", "select $1", List.of(23, 0, 99))));
        assertThat(MessageText.bytes("Bind p - \"a b\" null x:00ff \\bé formats=0,1 results=1"))
                .isEqualTo(RecordingClient.encoded(new Bind(
                        "p",
                        "",
                        List.of(0, 1),
                        List.of(
                                Optional.of(Bytes.ofText("a b")),
                                Optional.empty(),
                                Optional.of(Bytes.of((byte) 0, (byte) 0xff)),
                                Optional.of(Bytes.ofText(" é"))),
                        List.of(1))));
        assertThat(MessageText.bytes("FunctionCall 177 1 2 formats=0 result=1"))
                .isEqualTo(RecordingClient.encoded(new FunctionCall(
                        177, List.of(0), List.of(Optional.of(Bytes.ofText("1")), Optional.of(Bytes.ofText("2"))), 1)));
        assertThat(MessageText.bytes("CopyData 1\\ttwo\\n"))
                .isEqualTo(RecordingClient.encoded(new CopyData(Bytes.ofText("1\ttwo\n"))));
        assertThat(MessageText.bytes("raw 51 0000 'a b' ff")).isEqualTo(new byte[] {0x51, 0, 0, 'a', ' ', 'b', -1});
        assertThat(MessageText.bytes("frame 51 'ab' 00")).isEqualTo(new byte[] {0x51, 0, 0, 0, 7, 'a', 'b', 0});
    }

    @ParameterizedTest
    @ValueSource(strings = {"Sink", "Parse s select 1", "await", "deviates session", "raw 0"})
    void shouldSayWhereAMistakeIs(String line) {
        assertThatThrownBy(() -> ConversationReader.read("here", "conversation c\n  Sync\n  " + line))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("here:3: ");
    }

    @ParameterizedTest
    @EnumSource
    void shouldDeliverEveryByteInItsOrder(Delivery delivery) {
        var bytes = "0123456789".repeat(5000).getBytes(StandardCharsets.US_ASCII);
        var joined = new StringBuilder();
        delivery.pieces(bytes).forEach(it -> joined.append(new String(it, StandardCharsets.US_ASCII)));
        assertThat(joined.toString()).isEqualTo(new String(bytes, StandardCharsets.US_ASCII));
        assertThat(delivery.pieces(new byte[10]))
                .hasSize(delivery == Delivery.WHOLE ? 1 : delivery == Delivery.ODD ? 2 : 10);
    }

    /// Otherwise everything would be equal.
    @Test
    void shouldSeeDifferences() {
        var here = heard(new Line("a", Optional.of("f:1")), Line.of("b"));
        assertThat(here.differenceTo(heard(new Line("a", Optional.of("f:1")), Line.of("b"))))
                .isEmpty();
        assertThat(here.differenceTo(heard(Line.of("a"), Line.of("b"))))
                .as("no place of its own")
                .isEmpty();
        assertThat(here.differenceTo(heard(new Line("a", Optional.of("f:2")), Line.of("b"))))
                .isPresent();
        assertThat(here.differenceTo(heard(Line.of("a"))))
                .hasValueSatisfying(it -> assertThat(it).contains("> b"));
        assertThat(here.differenceTo(heard(Line.of("a"), Line.of("b"), Line.of("c"))))
                .isPresent();
        assertThat(here.differenceTo(heard(Line.of("a"), Line.of("c")))).isPresent();
        assertThat(here.differenceTo(new Heard(Map.of()))).isPresent();
    }

    private static Heard heard(Line... lines) {
        return new Heard(Map.of("a", new ArrayList<>(List.of(lines))));
    }

    private static Bytes bytes(byte[] content) {
        return Bytes.of(content);
    }
}
