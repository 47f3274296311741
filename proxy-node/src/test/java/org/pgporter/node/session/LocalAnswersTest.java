package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.node.error.ProxyError;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;
import org.pgporter.protocol.message.ErrorResponse;

/// Batches are written as the types of their messages; answers likewise.
class LocalAnswersTest {
    private static final ErrorResponse ERROR = ProxyError.poolExhausted(1);

    private final LocalAnswers answers = new LocalAnswers();

    @ParameterizedTest
    @CsvSource({
        "Q, EZ",
        "F, EZ",
        "QQ, EZEZ",
        "PBDES, EZ",
        "PBESPBES, EZEZ",
        "S, Z",
        "SSS, ZZZ",
        "PBEHQS, EZ", // a Query inside a failed pipeline is skipped up to the Sync, as PostgreSQL does
        "PSQ, EZEZ",
        "QPS, EZEZ",
        "CS, EZ",
        "H, ''",
        "dddc, ''",
        "X, ''"
    })
    void shouldRefuseLikePostgres(String batch, String expected) {
        assertThat(refused(batch)).isEqualTo(expected);
        assertThat(answers.inProgress()).isFalse();
    }

    @Test
    void shouldReportAnErrorOnceForAPipelineThatArrivesInPieces() {
        assertThat(refused("PB")).isEqualTo("E");
        assertThat(answers.inProgress()).isTrue();
        assertThat(refused("DE")).isEmpty();
        assertThat(refused("H")).isEmpty();
        assertThat(answers.inProgress()).isTrue();
        assertThat(refused("S")).isEqualTo("Z");
        assertThat(answers.inProgress()).isFalse();
    }

    @Test
    void shouldSwallowTheRestOfAMessageThatItHasRefused() {
        // Given a query that is so long that it comes in three batches, and another one behind it
        int length = 200_000;
        ByteBuf first = Unpooled.buffer().writeByte('Q').writeInt(length - 1).writeZero(99_995);
        ByteBuf second = Unpooled.buffer().writeZero(50_000);
        ByteBuf third =
                Unpooled.buffer().writeZero(50_000).writeByte('Q').writeInt(5).writeByte(0);
        try (var decoder = new FrameDecoder(DecodePolicy.FRONTEND)) {
            // When, Then
            assertThat(refused(next(decoder, first))).isEqualTo("EZ");
            assertThat(answers.inProgress()).isTrue();
            assertThat(refused(next(decoder, second))).isEmpty();
            assertThat(answers.inProgress()).isTrue();
            assertThat(refused(next(decoder, third))).isEqualTo("EZ");
            assertThat(answers.inProgress()).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "S, true",
        "H, true",
        "c, true",
        "f, true",
        "d, true",
        "X, true",
        "SHcX, true",
        "Q, false",
        "P, false",
        "B, false",
        "D, false",
        "E, false",
        "C, false",
        "F, false",
        "SQ, false",
        "QS, false"
    })
    void shouldKnowWhatNeedsNoBackend(String batch, boolean expected) {
        Batch decoded = batch(batch);
        assertThat(LocalAnswers.needsNoBackend(decoded, null)).isEqualTo(expected);
        decoded.release();
    }

    /// PostgreSQL answers it with an error.
    @ParameterizedTest
    @CsvSource({"S", "H"})
    void shouldLeaveABodyWhereNoneMayBeToTheServer(char type) { // checklist 74
        try (var decoder = new FrameDecoder(DecodePolicy.FRONTEND)) {
            Batch batch =
                    next(decoder, Unpooled.buffer().writeByte(type).writeInt(5).writeByte(0));
            assertThat(LocalAnswers.needsNoBackend(batch, null)).isFalse();
            batch.release();
        }
    }

    @Test
    void shouldAnswerEverySyncAndNothingElse() {
        // Given
        ByteBuf out = Unpooled.buffer();

        // When
        answers.answer(batch("dHScSf"), out);

        // Then
        assertThat(types(out)).isEqualTo("ZZ");
    }

    private String refused(String types) {
        return refused(batch(types));
    }

    private String refused(Batch batch) {
        ByteBuf out = Unpooled.buffer();
        answers.refuse(batch, ERROR, out);
        batch.release();
        return types(out);
    }

    private static Batch batch(String types) {
        ByteBuf bytes = Unpooled.buffer();
        for (char type : types.toCharArray()) {
            boolean empty = "SHcX".indexOf(type) >= 0;
            bytes.writeByte(type).writeInt(empty ? 4 : 8).writeZero(empty ? 0 : 4);
        }
        try (var decoder = new FrameDecoder(DecodePolicy.FRONTEND)) {
            return next(decoder, bytes);
        }
    }

    private static Batch next(FrameDecoder decoder, ByteBuf bytes) {
        decoder.feed(bytes);
        return decoder.next().orElseThrow();
    }

    /// The type bytes of the messages; every ReadyForQuery must say that the session is idle.
    private static String types(ByteBuf out) {
        List<String> types = new ArrayList<>();
        while (out.isReadable()) {
            char type = (char) out.readByte();
            ByteBuf body = out.readSlice(out.readInt() - 4);
            if (type == 'Z') {
                assertThat((char) body.readByte()).isEqualTo('I');
            }
            types.add(String.valueOf(type));
        }
        return String.join("", types);
    }
}
