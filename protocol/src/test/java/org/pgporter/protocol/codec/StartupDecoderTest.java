package org.pgporter.protocol.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupPacket;

class StartupDecoderTest {

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false);
    private final StartupDecoder decoder = new StartupDecoder();

    @AfterEach
    void shouldReleaseEverything() {
        decoder.close();
        assertThat(alloc.metric().usedHeapMemory()).isZero();
    }

    @ParameterizedTest
    @MethodSource("org.pgporter.protocol.message.MessageSamples#startup")
    void shouldReadAPacketOneByteAtATime_checklist3(StartupPacket packet) {
        ByteBuf bytes = Unpooled.buffer();
        packet.encodeTo(bytes);
        while (bytes.readableBytes() > 1) {
            decoder.feed(alloc.buffer(16_384).writeBytes(bytes, 1));
            assertThat(decoder.next()).isEmpty();
            assertThat(alloc.metric().usedHeapMemory()).isLessThan(2_000);
        }
        decoder.feed(alloc.buffer().writeBytes(bytes));

        assertThat(decoder.next()).contains(packet);
        assertThat(decoder.hasBytes()).isFalse();
    }

    @Test
    void shouldReadTheLongestPacketAndNoLonger_checklist3() {
        var longest = new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "u".repeat(9_989)));
        decoder.feed(encoded(longest));
        assertThat(decoder.next()).contains(longest);

        decoder.feed(encoded(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "u".repeat(9_990)))));
        assertThat(violation()).hasMessage("invalid length of startup packet");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, -1, 10_005, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void shouldRefuseAnAbsurdLengthQuietlyAndAtOnce_checklist1(int length) {
        decoder.feed(alloc.buffer(16).writeInt(length));

        assertThat(violation().quiet()).isTrue();
        assertThat(alloc.metric().usedHeapMemory()).isLessThanOrEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"user\0alice\0", "user\0alice", "user\0\0", "user\0alice\0\0x", "user\0alice\0\0\0", "user", ""})
    void shouldRefuseAPacketWithoutItsTerminator_checklist2(String body) {
        decoder.feed(packet(196_608, body));
        ProtocolViolation violation = violation();

        assertThat(violation).hasMessage("invalid startup packet layout: expected terminator as last byte");
        assertThat(violation.quiet()).isFalse();
    }

    @Test
    void shouldLetTheLastOfARepeatedKeyCount_checklist2() {
        decoder.feed(packet(196_608, "user\0a\0database\0d\0user\0b\0\0"));
        var message = (StartupMessage) decoder.next().orElseThrow();

        assertThat(message.user()).contains("b");
        assertThat(message.database()).contains("d");
        assertThat(message.parameters().keySet()).containsExactly("user", "database");
    }

    @Test
    void shouldKeepProtocolOptionsReachableAndTakeTheUserForTheDatabase() {
        decoder.feed(packet(0x0003_270f, "user\0\u00e9\0_pq_.a\0\0options\0-c x=1\0\0"));
        var message = (StartupMessage) decoder.next().orElseThrow();

        assertThat(message.version()).isEqualTo(new ProtocolVersion(3, 9999));
        assertThat(message.protocolOptions()).containsExactly("_pq_.a");
        assertThat(message.database()).isEqualTo(message.user()).isPresent();
        assertThat(message.options()).isEqualTo("-c x=1");
        assertThat(encoded(message)).satisfies(bytes -> {
            assertThat(bytes.toString(ISO_8859_1)).contains("\u00e9");
            bytes.release();
        });
    }

    @Test
    void shouldAnswerAClientOfVersion2_checklist13() {
        decoder.feed(packet(0x0002_0000, "\0".repeat(288)));
        ProtocolViolation violation = violation();

        assertThat(violation.sqlState()).isEqualTo(SqlState.FEATURE_NOT_SUPPORTED);
        assertThat(violation.quiet()).isFalse();
        assertThat(violation).hasMessage("unsupported frontend protocol 2.0: server supports 3.0 to 3.2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n",
                "SSH-2.0-x\r\n",
                "G",
                "\0\0\0\u0010GARBAGEGARBA",
                "\0\0\0\u0009\u0004\u00d2\u0016\u00ff."
            })
    void shouldCloseOnNoiseWithoutAnAnswer_checklist13(String noise) {
        decoder.feed(alloc.buffer().writeBytes(noise.getBytes(ISO_8859_1)));

        assertThat(violation().quiet()).isTrue();
    }

    @Test
    void shouldSayThatDirectTlsIsNotOn() {
        decoder.feed(alloc.buffer().writeByte(0x16));

        ProtocolViolation violation = violation();
        assertThat(violation.quiet()).isTrue();
        assertThat(violation).hasMessageContaining("direct TLS");
    }

    @Test
    void shouldTellThatBytesFollowAPacketAndHandThemOver() {
        ByteBuf bytes = encoded(new SslRequest());
        decoder.feed(bytes.writeByte('X').writeInt(4));
        assertThat(decoder.next()).contains(new SslRequest());
        assertThat(decoder.hasBytes()).isTrue();

        var frames = new FrameDecoder(DecodePolicy.FRONTEND);
        decoder.handOverTo(frames);
        Batch batch = frames.next().orElseThrow();
        assertThat(batch.type(0)).isEqualTo((byte) 'X');
        assertThat(batch.bytes().readerIndex()).isZero();
        batch.release();
    }

    @Test
    void shouldThrowNothingButViolationsForGarbage() {
        long seed = 5;
        var random = new Random(seed);
        int[] codes = {196_608, 196_610, 80_877_102, 80_877_103, 80_877_104, 131_072, 80_877_105};
        for (int i = 0; i < 20_000; i++) {
            byte[] body = new byte[random.nextInt(300)];
            random.nextBytes(body);
            ByteBuf packet = alloc.buffer();
            if (random.nextInt(5) > 0) {
                packet.writeInt(8 + random.nextInt(body.length + 1)).writeInt(codes[random.nextInt(codes.length)]);
            }
            var one = new StartupDecoder();
            one.feed(packet.writeBytes(body));
            try {
                while (one.next().isPresent()) {
                    assertThat(packet.refCnt()).isLessThanOrEqualTo(1);
                }
            } catch (ProtocolViolation violation) {
                assertThat(violation.getMessage()).isNotEmpty();
            } catch (RuntimeException other) {
                throw new AssertionError("seed " + seed + ", round " + i, other);
            } finally {
                one.close();
            }
        }
    }

    private ProtocolViolation violation() {
        return catchThrowableOfType(ProtocolViolation.class, decoder::next);
    }

    private ByteBuf encoded(StartupPacket packet) {
        ByteBuf bytes = alloc.buffer();
        packet.encodeTo(bytes);
        return bytes;
    }

    private ByteBuf packet(int code, String body) {
        byte[] content = body.getBytes(ISO_8859_1);
        return alloc.buffer().writeInt(content.length + 8).writeInt(code).writeBytes(content);
    }
}
