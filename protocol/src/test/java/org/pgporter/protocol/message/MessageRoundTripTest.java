package org.pgporter.protocol.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.HashSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MessageRoundTripTest {

    @ParameterizedTest
    @MethodSource("org.pgporter.protocol.message.MessageSamples#all")
    void shouldDecodeWhatItEncodes(WireMessage message) {
        ByteBuf wire = Unpooled.buffer();
        message.encodeTo(wire);
        assertThat(wire.getInt(message instanceof TypedMessage ? 1 : 0))
                .isEqualTo(wire.readableBytes() - (message instanceof TypedMessage ? 1 : 0));

        WireMessage decoded = decode(message, body(message));

        assertThat(decoded).isEqualTo(message).hasSameHashCodeAs(message);
    }

    @ParameterizedTest
    @MethodSource("org.pgporter.protocol.message.MessageSamples#all")
    void shouldThrowNothingButViolationsForBodiesThatAreCutOff(WireMessage message) {
        ByteBuf whole = body(message);
        for (int length = 0; length < whole.readableBytes(); length++) {
            onlyViolations(message, whole.slice(0, length));
        }
    }

    @ParameterizedTest
    @MethodSource("org.pgporter.protocol.message.MessageSamples#all")
    void shouldThrowNothingButViolationsForBodiesThatAreDamaged(WireMessage message) {
        long seed = 20_261_121;
        var random = new Random(seed);
        for (int i = 0; i < 1_000; i++) {
            ByteBuf damaged = Unpooled.buffer().writeBytes(body(message));
            for (int hits = 1 + random.nextInt(3); hits > 0 && damaged.isReadable(); hits--) {
                damaged.setByte(random.nextInt(damaged.readableBytes()), random.nextInt());
            }
            if (random.nextInt(4) == 0) {
                damaged.writeByte(random.nextInt());
            }
            onlyViolations(message, damaged);
        }
    }

    @Test
    void shouldKnowASampleOfEveryKind() {
        Set<Class<?>> kinds = new HashSet<>();
        collect(WireMessage.class, kinds);
        kinds.remove(PasswordMessage.class); // Has a test of its own: p is decoded by who asked for it.
        kinds.remove(SaslInitialResponse.class);

        assertThat(MessageSamples.all().map(Object::getClass).distinct().toList())
                .containsExactlyInAnyOrderElementsOf(kinds);
    }

    @Test
    void shouldReadThePasswordMessagesByWhatWasAskedFor() {
        var password = new PasswordMessage(Bytes.ofText("s3cret"));
        var first = new SaslInitialResponse("SCRAM-SHA-256", Optional.of(Bytes.ofText("n,,n=,r=x")));
        var none = new SaslInitialResponse("X", Optional.empty());

        assertThat(PasswordMessage.decode(body(password))).isEqualTo(password);
        assertThat(SaslInitialResponse.decode(body(first))).isEqualTo(first);
        assertThat(SaslInitialResponse.decode(body(none))).isEqualTo(none);
        assertThat(password.toString()).doesNotContain("s3cret");
        assertThat(first.toString()).doesNotContain("r=x");
    }

    @Test
    void shouldRefuseAPasswordWithAZeroByteWithin() {
        ByteBuf body = Unpooled.copiedBuffer(new byte[] {'a', 0, 'b', 0});
        assertThatThrownBy(() -> PasswordMessage.decode(body))
                .isInstanceOf(ProtocolViolation.class)
                .hasMessage("invalid password packet size");
    }

    @Test
    void shouldRefuseToBuildWhatCannotBeSent() {
        assertThatThrownBy(() -> new Query("a\0b")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new BackendKeyData(1, Bytes.of((byte) 1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new AuthenticationMd5Password(Bytes.EMPTY))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SqlState("28p01")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldNotNeedTheBufferAfterDecoding() {
        ByteBuf body = body(new CopyData(Bytes.of((byte) 1, (byte) 2)));
        var copy = CopyData.decode(body.slice());
        body.setZero(0, 2);

        assertThat(body.refCnt()).isEqualTo(1);
        assertThat(copy.data()).isEqualTo(Bytes.of((byte) 1, (byte) 2));
    }

    private static void onlyViolations(WireMessage like, ByteBuf body) {
        try {
            assertThat(decode(like, body)).isNotNull();
        } catch (ProtocolViolation violation) {
            assertThat(violation.getMessage()).isNotEmpty();
        }
    }

    private static WireMessage decode(WireMessage like, ByteBuf body) {
        return switch (like) {
            case StartupPacket _ -> StartupPacket.decode(body);
            case CopyData _ -> CopyData.decode(body);
            case CopyDone _ -> CopyDone.decode(body);
            case FrontendMessage message -> FrontendMessage.decode(message.type(), body);
            case BackendMessage message -> BackendMessage.decode(message.type(), body);
        };
    }

    private static ByteBuf body(WireMessage message) {
        ByteBuf wire = Unpooled.buffer();
        message.encodeTo(wire);
        return wire.skipBytes(message instanceof TypedMessage ? 5 : 4).slice();
    }

    private static void collect(Class<?> family, Set<Class<?>> kinds) {
        Class<?>[] permitted = family.getPermittedSubclasses();
        if (permitted == null) {
            kinds.add(family);
        } else {
            for (Class<?> kind : permitted) {
                collect(kind, kinds);
            }
        }
    }
}
