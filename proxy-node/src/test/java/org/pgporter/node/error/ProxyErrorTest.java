package org.pgporter.node.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;

class ProxyErrorTest {
    static Stream<Arguments> errors() {
        Duration second = Duration.ofSeconds(1);
        return Stream.of(
                arguments(ProxyError.protocolViolation("x"), "FATAL", "08P01"),
                arguments(
                        ProxyError.protocolViolation(new ProtocolViolation(SqlState.FEATURE_NOT_SUPPORTED, "x")),
                        "FATAL",
                        "0A000"),
                arguments(ProxyError.noUserName(), "FATAL", "28000"),
                arguments(ProxyError.invalidReplication("maybe"), "FATAL", "22023"),
                arguments(ProxyError.replicationFromWhichServer("u"), "FATAL", "3D000"),
                arguments(ProxyError.passwordRejected("u"), "FATAL", "28P01"),
                arguments(ProxyError.bearerTokenRejected("u"), "FATAL", "28000"),
                arguments(ProxyError.tokenNeedsEncryption(), "FATAL", "28000"),
                arguments(ProxyError.tokenExpired(), "FATAL", "57P01"),
                arguments(ProxyError.roleNotConfirmed("r"), "ERROR", "42501"),
                arguments(ProxyError.readOnlyNotConfirmed(), "ERROR", "25006"),
                arguments(ProxyError.noReplication("u"), "FATAL", "42501"),
                arguments(ProxyError.tooManyUnlisted("i"), "ERROR", "53300"),
                arguments(ProxyError.authenticationUnavailable(), "FATAL", "58000"),
                arguments(ProxyError.noSuchDatabase("d"), "FATAL", "3D000"),
                arguments(ProxyError.loginTimeout(), "FATAL", "57014"),
                arguments(ProxyError.tooManyClients(), "FATAL", "53300"),
                arguments(ProxyError.tooManyForDatabase("d"), "FATAL", "53300"),
                arguments(ProxyError.tooManyForUser("u"), "FATAL", "53300"),
                arguments(ProxyError.shuttingDown(), "FATAL", "57P03"),
                arguments(ProxyError.terminatedByShutdown(), "FATAL", "57P01"),
                arguments(ProxyError.statementPoolingBlock(), "FATAL", "0A000"),
                arguments(ProxyError.canceled(), "ERROR", "57014"),
                arguments(ProxyError.queryTimeout(), "FATAL", "57014"),
                arguments(ProxyError.transactionTimeout(), "FATAL", "25P04"),
                arguments(ProxyError.idleTransactionTimeout(), "FATAL", "25P03"),
                arguments(ProxyError.clientIdleTimeout(), "FATAL", "57P05"),
                arguments(ProxyError.queryWaitTimeout(second, 1), "ERROR", "53300"),
                arguments(ProxyError.poolExhausted(1), "ERROR", "53300"),
                arguments(ProxyError.backendLost(), "FATAL", "08006"),
                arguments(ProxyError.backendUnreachable(new IOException("x")), "ERROR", "08006"),
                arguments(ProxyError.backendSurprise("x"), "ERROR", "08006"),
                arguments(ProxyError.backendClosedDuringLogin(), "ERROR", "08006"),
                arguments(ProxyError.backendLoginTimedOut(second), "ERROR", "08006"),
                arguments(ProxyError.backendNotProven(), "ERROR", "08006"),
                arguments(ProxyError.nothingToLogInWith("u", "a password"), "ERROR", "28P01"));
    }

    @ParameterizedTest
    @MethodSource("errors")
    void shouldHaveTheSeverityAndSqlStateThatClientsKnow(
            ErrorResponse error, String severity, String sqlState) { // checklist 21
        // checklist 21: S, V, C and M are there, and it can be read back
        assertThat(error.fields().get('S')).isEqualTo(severity);
        assertThat(error.fields().get('V')).isEqualTo(severity);
        assertThat(error.fields().get('C')).isEqualTo(sqlState);
        assertThat(error.message()).isNotBlank();
        var bytes = Unpooled.buffer();
        error.encodeTo(bytes);
        assertThat(bytes.getByte(bytes.writerIndex() - 1)).isZero();
        assertThat(ErrorResponse.decode(bytes.skipBytes(5))).isEqualTo(error);
    }

    @Test
    void shouldNameTheCauseAndNotItsWrapping() {
        var cause = new CompletionException(new IOException("connection to db:5432 failed: Connection refused"));
        assertThat(ProxyError.backendUnreachable(cause).message())
                .isEqualTo("cannot reach PostgreSQL: connection to db:5432 failed: Connection refused");
    }

    @Test
    void shouldChangeTheSeverityOnly() {
        // Given
        ErrorResponse error = ProxyError.passwordRejected("u");

        // When
        ErrorResponse changed = ProxyError.withSeverity(error, Severity.ERROR);

        // Then
        assertThat(changed.fields().get('S')).isEqualTo("ERROR");
        assertThat(changed.fields().get('V')).isEqualTo("ERROR");
        assertThat(changed.sqlState()).isEqualTo(error.sqlState());
        assertThat(changed.message()).isEqualTo(error.message());
    }

    @Test
    void shouldTellThePoolsSizeWhereItWasTheReason() {
        assertThat(ProxyError.queryWaitTimeout(Duration.ofMillis(250), 7).message())
                .contains("250 ms");
        assertThat(ProxyError.queryWaitTimeout(Duration.ofMillis(250), 7)
                        .fields()
                        .get('D'))
                .contains("pool_size 7");
        assertThat(ProxyError.poolExhausted(7).fields().get('D')).contains("pool_size 7");
    }

    @Test
    void shouldHaveTheWordsByWhichTimeoutsOfPgBouncerAreKnown() {
        assertThat(ProxyError.queryTimeout().message()).contains("query timeout", "query_timeout");
        assertThat(ProxyError.transactionTimeout().message()).contains("transaction timeout");
        assertThat(ProxyError.idleTransactionTimeout().message()).contains("idle transaction timeout");
        assertThat(ProxyError.clientIdleTimeout().message()).contains("client_idle_timeout");
        assertThat(ProxyError.loginTimeout().message()).contains("client_login_timeout");
        assertThat(ProxyError.queryWaitTimeout(Duration.ofSeconds(1), 1).message())
                .contains("query_wait_timeout");
        assertThat(ProxyError.queued().message()).contains("client being queued");
    }
}
