package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.pgporter.node.backend.Alignment.Setting;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Parse;

class AlignmentTest {
    private final AcceptedValues accepted = new AcceptedValues();
    private final TreeMap<String, String> applied = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final ServerParameters defaults = ServerParameters.none()
            .with("TimeZone", "UTC")
            .with("DateStyle", "ISO, MDY")
            .with("application_name", "")
            .with("server_version", "18.0");

    private Alignment align(ServerParameters current, Map<String, String> wanted) {
        return Alignment.between(current, defaults, applied, WantedParameters.of(wanted), accepted);
    }

    @Test
    void shouldSetTheDifferenceOnly() {
        applied.put("statement_timeout", "5s");
        Alignment alignment = align(
                defaults, Map.of("timezone", "UTC", "DateStyle", "German, DMY", "statement_timeout", "5s", "x.y", "1"));
        assertThat(alignment.set())
                .containsExactlyInAnyOrder(new Setting("DateStyle", "German, DMY"), new Setting("x.y", "1"));
        assertThat(alignment.reset()).isEmpty();
    }

    @Test
    void shouldBeEmptyWhenNothingDiffers() {
        assertThat(align(defaults, Map.of("TIMEZONE", "UTC")).isEmpty()).isTrue();
        assertThat(align(defaults, Map.of()).isEmpty()).isTrue();
    }

    @Test
    void shouldNotSetAgainWhatTheServerSpellsDifferently() {
        accepted.accepted("DateStyle", "german", "German, DMY");
        ServerParameters current = defaults.with("DateStyle", "German, DMY");
        assertThat(align(current, Map.of("datestyle", "german")).isEmpty()).isTrue();
        assertThat(align(defaults, Map.of("datestyle", "german")).set())
                .containsExactly(new Setting("datestyle", "german"));
    }

    @Test
    void shouldResetWhatOthersLeft() {
        applied.put("statement_timeout", "5s");
        applied.put("search_path", "a, b");
        ServerParameters current = defaults.with("TimeZone", "Europe/Paris").with("application_name", "other");
        Alignment alignment = align(current, Map.of("application_name", "mine", "search_path", "a, b"));
        assertThat(alignment.reset()).containsExactlyInAnyOrder("TimeZone", "statement_timeout");
        assertThat(alignment.set()).containsExactly(new Setting("application_name", "mine"));
    }

    @Test
    void shouldLeaveFactsAlone() {
        ServerParameters current = defaults.with("server_version", "19")
                .with("in_hot_standby", "on")
                .with("is_superuser", "on");
        assertThat(align(current, Map.of()).isEmpty()).isTrue();
    }

    @Test
    void shouldSetOrResetWhatNobodyKnows() {
        applied.put("statement_timeout", Alignment.UNKNOWN);
        applied.put("lock_timeout", Alignment.UNKNOWN);
        Alignment alignment = align(defaults, Map.of("statement_timeout", "5s"));
        assertThat(alignment.set()).containsExactly(new Setting("statement_timeout", "5s"));
        assertThat(alignment.reset()).containsExactly("lock_timeout");
    }

    @Test
    void shouldConfirmUnknownValuesAndChangesOfIdentityFirst() {
        assertThat(align(defaults, Map.of("TimeZone", "Mars")).mayBePipelined(accepted))
                .isFalse();
        accepted.accepted("timezone", "Mars", "Mars");
        assertThat(align(defaults, Map.of("TimeZone", "Mars")).mayBePipelined(accepted))
                .isTrue();
        assertThat(align(defaults, Map.of("application_name", "any")).mayBePipelined(accepted))
                .isTrue();
        accepted.accepted("role", "boss", "boss");
        assertThat(align(defaults, Map.of("Role", "boss")).mayBePipelined(accepted))
                .isFalse();
        applied.put("ROLE", "boss");
        assertThat(align(defaults, Map.of()).mayBePipelined(accepted)).isFalse();
    }

    // ---- on the wire -----------------------------------------------------------------------------------------

    private static List<Object> messages(Alignment alignment) {
        ByteBuf out = Unpooled.buffer();
        alignment.write(out);
        List<Object> messages = new ArrayList<>();
        try (var decoder = new FrameDecoder(DecodePolicy.FRONTEND)) {
            decoder.feed(out);
            Batch batch = decoder.next().orElseThrow();
            for (int i = 0; i < batch.marks(); i++) {
                switch (batch.type(i)) {
                    case 'P' -> messages.add(Parse.decode(batch.body(i)));
                    case 'B' -> messages.add(Bind.decode(batch.body(i)));
                    default -> messages.add((char) batch.type(i));
                }
            }
            batch.release();
        }
        return messages;
    }

    private static List<String> values(Object bind) {
        return ((Bind) bind)
                .parameters().stream()
                        .map(value -> value.orElseThrow().toText())
                        .toList();
    }

    @Test
    void shouldSendValuesAsBoundParametersWhateverIsInThem() {
        List<String> nasty = List.of(
                "'; DROP TABLE x; --",
                "\\'; select 1; --",
                "$$;select 1;$$",
                "\"$user\", public",
                "a,b",
                "ü\n\t",
                "$1");
        for (String value : nasty) {
            List<Object> messages = messages(new Alignment(List.of(new Setting("search_path", value)), List.of()));
            assertThat(messages).hasSize(3);
            assertThat(messages.get(0))
                    .isEqualTo(new Parse("", "SELECT pg_catalog.set_config($1,$2,false)", List.of(25, 25)));
            assertThat(values(messages.get(1))).containsExactly("search_path", value);
            assertThat(messages.get(2)).isEqualTo('E');
        }
    }

    @Test
    void shouldSendBytesThatAreNoUtf8AsTheyCame() {
        byte[] latin1 = "Münch".getBytes(StandardCharsets.ISO_8859_1);
        String value = Bytes.of(latin1).toText();
        List<Object> messages = messages(new Alignment(List.of(new Setting("application_name", value)), List.of()));
        Bytes sent = ((Bind) messages.get(1)).parameters().get(1).orElseThrow();
        assertThat(sent).isEqualTo(Bytes.of(latin1));
    }

    @Test
    void shouldParseOnceForAllValues() {
        List<Object> messages =
                messages(new Alignment(List.of(new Setting("a", "1"), new Setting("b", "2")), List.of()));
        assertThat(messages).hasSize(5);
        assertThat(values(messages.get(1))).containsExactly("a", "1");
        assertThat(values(messages.get(3))).containsExactly("b", "2");
    }

    @Test
    void shouldQuoteNamesInReset() {
        List<Object> messages = messages(new Alignment(List.of(), List.of("TimeZone", "my.User", "a\"; DROP")));
        assertThat(messages.stream().filter(Parse.class::isInstance).map(parse -> ((Parse) parse).sql()))
                .containsExactly("RESET \"timezone\"", "RESET \"my\".\"user\"", "RESET \"a\"\"; drop\"");
    }

    @Test
    void shouldResetBeforeItSets() {
        List<Object> messages = messages(new Alignment(List.of(new Setting("role", "b")), List.of("role")));
        assertThat(((Parse) messages.get(0)).sql()).startsWith("RESET");
        assertThat(((Parse) messages.get(3)).sql()).startsWith("SELECT");
    }
}
