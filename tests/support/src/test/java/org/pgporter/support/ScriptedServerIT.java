package org.pgporter.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.support.BackendMessages.bindComplete;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.fatalResponse;
import static org.pgporter.support.BackendMessages.noticeResponse;
import static org.pgporter.support.BackendMessages.parseComplete;
import static org.pgporter.support.BackendMessages.readyForQuery;
import static org.pgporter.support.BackendMessages.rowDescription;

import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.SslRequest;

class ScriptedServerIT {
    @Test
    void shouldTalkAsScripted() {
        try (var server = ScriptedServer.start();
                var client = RawClient.connects(server)) {
            // Given
            client.sendsStartup("ann", "shop", "application_name", "test");
            var conversation = server.accept();
            assertThat(conversation.expectsStartup().parameters()).containsEntry("application_name", "test");
            conversation.hasKey(42, (byte) 1, (byte) 2, (byte) 3, (byte) 4).acceptsLogin(Map.of("TimeZone", "CET"));

            // When
            client.logsInAfterStartup("ann", "");
            client.sendsQuery("select 1");
            conversation.expectsQuery("select 1");
            conversation.sends(noticeResponse("soon"));
            conversation.sendsSlowly(
                    ServerConversation.encoded(
                            rowDescription("a"), dataRow("1"), commandComplete("SELECT 1"), readyForQuery(IDLE)),
                    3);

            // Then
            client.expects(rowDescription("a"));
            client.expectsRow("1");
            client.expectsCommandComplete("SELECT 1");
            client.expectsReadyForQuery(IDLE);
            client.expects(NoticeResponse.class);
            assertThat(client.backendKey()).isEqualTo(conversation.key());
            assertThat(client.parameterStatus())
                    .containsEntry("TimeZone", "CET")
                    .containsEntry("DateStyle", "ISO, MDY");
            client.terminates();
            conversation.expectsTerminate();
            conversation.expectsClosed();
        }
    }

    @Test
    void shouldAskForPasswordsInEveryWay() {
        List<Consumer<ServerConversation>> ways = List.of(
                it -> assertThat(it.asksForCleartext()).isEqualTo("secret"),
                it -> it.asksForMd5("ann", "secret"),
                it -> it.asksForScram("secret"));
        for (var way : ways) {
            try (var server = ScriptedServer.start()) {
                server.serve(conversation -> {
                    conversation.expectsStartup();
                    way.accept(conversation);
                    conversation.acceptsLogin();
                    conversation.expectsTerminate();
                });
                try (var client = RawClient.connects(server)) {
                    client.logsIn("ann", "secret", "shop").terminates();
                }
            }
        }
    }

    @Test
    void shouldNoticeAWrongProofOnEitherSide() {
        try (var server = ScriptedServer.start();
                var cheated = RawClient.connects(server);
                var liar = RawClient.connects(server)) {
            var login = CompletableFuture.runAsync(() -> cheated.logsIn("ann", "secret", "shop"));
            var first = server.accept();
            first.expectsStartup();
            first.asksForScram("secret", 1000, false);
            assertThatThrownBy(login::join)
                    .isInstanceOf(CompletionException.class)
                    .hasMessageContaining("SCRAM");

            var lie = CompletableFuture.runAsync(() -> liar.logsInExpectingError("ann", "wrong", "shop"));
            var second = server.accept();
            second.expectsStartup();
            assertThatThrownBy(() -> second.asksForScram("secret")).hasMessageContaining("proof is wrong");
            second.sends(fatalResponse("28P01", "no"));
            lie.join();
        }
    }

    @Test
    void shouldServeARealDriver() throws SQLException {
        try (var server = ScriptedServer.start()) {
            server.serve(conversation -> {
                conversation.expectsStartup();
                conversation.acceptsLogin(Map.of("server_version", "18.0"));
                while (conversation.expectsAny().isPresent()) {
                    // Never answered: the driver gives up.
                }
            });
            var url = "jdbc:postgresql://127.0.0.1:" + server.port() + "/shop?user=ann&assumeMinServerVersion=18"
                    + "&ApplicationName=test&socketTimeout=1";
            try (var connection = DriverManager.getConnection(url);
                    var statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.execute("select 1")).isInstanceOf(SQLException.class);
            }
            assertThat(server.connections()).isPositive();
        }
    }

    @Test
    void shouldReceiveACancelRequestOnAConnectionOfItsOwn() {
        try (var server = ScriptedServer.start();
                var client = RawClient.connects(server)) {
            client.sendsStartup("ann", "shop");
            var conversation = server.accept();
            conversation.expectsStartup();
            conversation.acceptsLogin();
            client.logsInAfterStartup("ann", "");

            var cancelling = CompletableFuture.runAsync(client::cancel);
            try (var other = server.accept()) {
                var request = other.expectsCancelRequest();
                assertThat(request.processId()).isEqualTo(conversation.key().processId());
                assertThat(request.key()).isEqualTo(conversation.key().secret());
            }
            cancelling.join();
        }
    }

    @Test
    void shouldCheckTheExtendedProtocol() {
        try (var server = ScriptedServer.start();
                var client = RawClient.connects(server)) {
            client.sendsStartup("ann", "shop");
            var conversation = server.accept();
            conversation.expectsStartup();
            client.sendsParse("s", "select $1")
                    .sendsBind("p", "s", "x")
                    .sendsExecute("p")
                    .sendsSync();
            conversation.expectsParse("s", "select $1");
            assertThat(conversation.expectsBind("p", "s").parameters()).hasSize(1);
            conversation.expectsExecute("p");
            conversation.expectsSync();
            conversation.sends(parseComplete(), bindComplete(), dataRow("x"), commandComplete("SELECT 1"));
            client.expects(parseComplete());
            client.expects(bindComplete());
            client.expectsRow("x");

            client.sendsParse("s", "select 2");
            assertThatThrownBy(() -> conversation.expectsParse("s", "select 3"))
                    .hasMessageContaining("got Parse \"s\" \"select 2\"")
                    .hasMessageContaining("F Bind \"p\" \"s\" \"x\"");
        }
    }

    @Test
    void shouldCloseResetAndStopInTheMiddle() {
        try (var server = ScriptedServer.start();
                var closed = RawClient.connects(server);
                var reset = RawClient.connects(server);
                var half = RawClient.connects(server)) {
            server.accept().closes();
            closed.expectsClosed();

            var second = server.accept();
            reset.sends(new SslRequest());
            second.expectsStartupPacket(SslRequest.class);
            second.resets();
            reset.expectsClosed();

            var third = server.accept();
            third.sendsRaw((byte) 'Z', (byte) 0, (byte) 0, (byte) 0, (byte) 5).closes();
            assertThatThrownBy(half::expectsAny).hasMessageContaining("within a message");
        }
    }

    @Test
    void shouldReportWhatFailedInAHandler() {
        var server = ScriptedServer.start().serve(conversation -> {
            conversation.expectsStartup();
            conversation.acceptsLogin();
            conversation.expectsQuery("select 1");
        });
        try (var client = RawClient.connects(server)) {
            client.logsIn("ann", "", "shop").sendsQuery("select 2");
            await().until(() -> !server.failures().isEmpty());
            client.expectsClosed();
        }
        assertThatThrownBy(server::close)
                .hasMessageContaining("expected Query \"select 1\", got Query \"select 2\"")
                .hasMessageContaining("B ReadyForQuery I");
    }
}
