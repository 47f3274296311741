package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.readyForQuery;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;

/// What is no PostgreSQL, from a client that is logged in: it is told so and closed, and nobody else notices.
class BadInputIT {
    static Stream<Arguments> violations() {
        return Stream.of(
                argumentSet("unknown type", (Object) frame('!', 4)),
                argumentSet("type zero", (Object) frame('\0', 8)),
                argumentSet("a server's message", (Object) frame('Z', 5)),
                argumentSet("a password after the login", (Object) frame('p', 5, 0)),
                argumentSet("length zero", (Object) frame('Q', 0)),
                argumentSet("length three", (Object) frame('S', 3)),
                argumentSet("negative length", (Object) frame('Q', -1)),
                argumentSet("smallest length", (Object) frame('d', Integer.MIN_VALUE)),
                argumentSet("greatest length", (Object) frame('Q', Integer.MAX_VALUE)),
                argumentSet("more than a gigabyte", (Object) frame('B', 0x3fffffff)),
                argumentSet("more than a Sync may have", (Object) frame('S', 10_001)));
    }

    @ParameterizedTest
    @MethodSource("violations")
    void shouldEndTheSessionOnly(byte[] bad) { // checklist 74
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient other = scene.client();
            Scene.converse(other, backend, "before");

            RawClient client = scene.client();
            client.sendsRaw(bad);

            assertThat(client.expectsError("08P01").fields()).containsEntry('S', "FATAL");
            client.expectsClosed();
            Scene.converse(other, backend, "after");
        }
    }

    @Test
    void shouldRollBackWhatWasOpen() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient other = scene.client();
            RawClient client = scene.client();
            client.sendsQuery("begin");
            backend.expectsQuery("begin");
            backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
            client.expectsCommandComplete("BEGIN");
            client.expectsReadyForQuery(IN_TRANSACTION);
            other.sendsQuery("select 'other'");

            client.sendsRaw(frame('!', 4));

            client.expectsError("08P01");
            client.expectsClosed();
            backend.expectsQuery("ROLLBACK");
            backend.sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));
            backend.expectsQuery("select 'other'");
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");
        }
    }

    @Test
    void shouldNotPoolABackendThatIsStillAnswering() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient other = scene.client();
            RawClient client = scene.client();
            // A query and nonsense in one write: the query has been sent on when the nonsense is seen.
            byte[] query = ByteBuffer.allocate(14)
                    .put((byte) 'Q')
                    .putInt(13)
                    .put("select 1\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                    .array();
            client.sendsRaw(concat(query, frame('!', 4)));
            backend.expectsQuery("select 1");

            client.expectsError("08P01");
            client.expectsClosed();
            // The server may still be busy with it: it is cancelled, and the connection given up.
            ServerConversation fresh =
                    Scene.cancelAndLogin(scene.server().accept(), scene.server().accept());
            Scene.converse(other, fresh, "other");
            backend.expectsTerminate();
            backend.expectsClosed();
        }
    }

    @Test
    void shouldSurviveNoise() { // checklist 74
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (Scene scene = Scene.withOneBackend()) {
            scene.server().serve(BadInputIT::servesQueries);
            RawClient other = scene.client();
            for (int round = 0; round < 40; round++) {
                RawClient client = scene.client();
                byte[] noise = new byte[1 + random.nextInt(200)];
                random.nextBytes(noise);
                noise[0] = (byte) "!@zkKRTZ0123456789GIJLMNOVWY".charAt(random.nextInt(28));
                client.sendsRaw(noise);
                client.expectsError("08P01");
                client.expectsClosed();
                assertThat(other.query("select 1")).as("seed %s", seed).hasSize(1);
            }
        }
    }

    private static void servesQueries(ServerConversation backend) {
        backend.expectsStartup();
        backend.acceptsLogin();
        while (backend.expectsAny()
                .filter(org.pgporter.protocol.message.Query.class::isInstance)
                .isPresent()) {
            backend.sends(Scene.answer("served"));
        }
    }

    private static byte[] frame(char type, int length, int... body) {
        ByteBuffer frame = ByteBuffer.allocate(5 + body.length).put((byte) type).putInt(length);
        for (int each : body) {
            frame.put((byte) each);
        }
        return frame.array();
    }

    private static byte[] concat(byte[] first, byte[] second) {
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.writeBytes(first);
        both.writeBytes(second);
        return both.toByteArray();
    }
}
