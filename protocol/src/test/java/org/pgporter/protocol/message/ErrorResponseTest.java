package org.pgporter.protocol.message;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrorResponseTest {

    @Test
    void shouldSendSeverityTwiceCodeMessageAndTheFinalZero_checklist21() {
        ByteBuf wire = Unpooled.buffer();
        ErrorResponse.of(Severity.FATAL, SqlState.INVALID_PASSWORD, "wrong").encodeTo(wire);

        assertThat(wire.toString(5, wire.readableBytes() - 5, UTF_8)).isEqualTo("SFATAL\0VFATAL\0C28P01\0Mwrong\0\0");
    }

    @Test
    void shouldFillInWhatIsMissingWhenItIsSent_checklist21() {
        ByteBuf wire = Unpooled.buffer();
        new ErrorResponse(Map.of('D', "why")).encodeTo(wire);

        assertThat(wire.toString(5, wire.readableBytes() - 5, UTF_8)).isEqualTo("SERROR\0VERROR\0CXX000\0M\0Dwhy\0\0");
    }

    @Test
    void shouldAnswerEveryQuestionAboutAnErrorWithoutFields_checklist21() {
        var error = ErrorResponse.decode(Unpooled.copiedBuffer(new byte[] {0}));

        assertThat(error.severity()).isEqualTo(Severity.ERROR);
        assertThat(error.sqlState()).isEqualTo(SqlState.INTERNAL_ERROR);
        assertThat(error.message()).isEmpty();
    }

    @Test
    void shouldReadALocalizedErrorOfAnOldServer_checklist21() {
        ByteBuf body = Unpooled.copiedBuffer("SFATAL\0Cbad\0Mno\0\0", UTF_8);
        var error = ErrorResponse.decode(body);

        assertThat(error.severity()).isEqualTo(Severity.FATAL);
        assertThat(error.sqlState()).isEqualTo(SqlState.INTERNAL_ERROR);
        assertThat(error.message()).isEqualTo("no");
    }

    @Test
    void shouldRefuseAnErrorWithoutItsFinalZero_checklist21() {
        ByteBuf body = Unpooled.copiedBuffer("SFATAL\0", UTF_8);
        assertThatThrownBy(() -> ErrorResponse.decode(body)).isInstanceOf(ProtocolViolation.class);
    }

    @Test
    void shouldNotLetAMessageBreakOutOfItsField() {
        var error =
                ErrorResponse.of(Severity.ERROR, SqlState.SYNTAX_ERROR, "a\0Hb").withDetail("c\0");
        assertThat(error.message()).isEqualTo("a Hb");
        assertThat(error.fields()).containsEntry('D', "c ");
    }
}
