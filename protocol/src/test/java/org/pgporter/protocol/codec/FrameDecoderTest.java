package org.pgporter.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.TransactionStatus;

class FrameDecoderTest {

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false);

    @AfterEach
    void shouldHaveReleasedEverything() {
        assertThat(alloc.metric().usedHeapMemory()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "Q, 3, invalid message length",
        "Q, -1, invalid message length",
        "Q, 0, invalid message length",
        "Q, 1073741823, invalid message length",
        "S, 10001, invalid message length",
        "a, 4, invalid frontend message type 97",
        "T, 4, invalid frontend message type 84",
        "p, 4, invalid frontend message type 112"
    })
    void shouldRefuseAFrontendHeader_checklist74(char type, int length, String message) {
        refuses(DecodePolicy.FRONTEND, type, length, message);
    }

    @ParameterizedTest
    @CsvSource({
        "Z, 3, invalid message length",
        "Z, 30001, invalid message length",
        "S, 1048577, invalid message length",
        "D, 2147483647, invalid message length",
        "Q, 4, invalid backend message type 81",
        "x, 4, invalid backend message type 120"
    })
    void shouldRefuseABackendHeader_checklist74(char type, int length, String message) {
        refuses(DecodePolicy.BACKEND, type, length, message);
    }

    @ParameterizedTest
    @CsvSource({"p, 65536", "Q, 65536", "p, 3", "p, 2147483647"})
    void shouldRefuseALongMessageBeforeLogin_checklist74(char type, int length) {
        refuses(DecodePolicy.LOGIN, type, length, "invalid message length");
    }

    private void refuses(DecodePolicy policy, char type, int length, String message) {
        for (int split = 0; split <= 5; split++) {
            ByteBuf header = Unpooled.buffer().writeByte(type).writeInt(length);
            var decoder = new FrameDecoder(policy);
            decoder.feed(alloc.buffer().writeBytes(header, split));
            ByteBuf rest = alloc.buffer().writeBytes(header);
            assertThatThrownBy(() -> {
                        assertThat(decoder.next()).isEmpty();
                        decoder.feed(rest);
                        decoder.next();
                    })
                    .isInstanceOfSatisfying(ProtocolViolation.class, violation -> {
                        assertThat(violation.sqlState()).isEqualTo(SqlState.PROTOCOL_VIOLATION);
                        assertThat(violation.quiet()).isFalse();
                        assertThat(violation.getStackTrace()).isEmpty();
                        assertThat(violation).hasMessage(message);
                    });
            if (rest.refCnt() > 0) {
                rest.release();
            }
            assertThatThrownBy(decoder::next).isInstanceOf(ProtocolViolation.class);
            decoder.close();
        }
    }

    @Test
    void shouldEmitWhatStandsBeforeAViolation_checklist74() {
        var decoder = new FrameDecoder(DecodePolicy.FRONTEND);
        ByteBuf chunk = alloc.buffer();
        new Query("select 1").encodeTo(chunk);
        decoder.feed(chunk.writeByte('!'));

        Batch batch = decoder.next().orElseThrow();
        assertThat(Query.decode(batch.body(0))).isEqualTo(new Query("select 1"));
        assertThat(batch.length()).isEqualTo(14);
        batch.release();
        assertThatThrownBy(decoder::next).isInstanceOf(ProtocolViolation.class);
        decoder.close();
    }

    @Test
    void shouldJoinAnExtendedQueryThatIsSplitOverTwoReads_checklist73() {
        var decoder = new FrameDecoder(DecodePolicy.FRONTEND);
        ByteBuf all = Unpooled.buffer();
        new Execute("a portal", 0).encodeTo(all);
        new Sync().encodeTo(all);
        decoder.feed(alloc.buffer().writeBytes(all, 7));
        assertThat(decoder.next()).isEmpty();
        assertThat(decoder.insideFrame()).isTrue();
        decoder.feed(alloc.buffer().writeBytes(all));

        Batch batch = decoder.next().orElseThrow();
        assertThat(batch.marks()).isEqualTo(2);
        assertThat(decoder.insideFrame()).isFalse();
        batch.release();
    }

    @Test
    void shouldTreatHeldBytesByTheNewPolicy() {
        var decoder = new FrameDecoder(DecodePolicy.LOGIN);
        ByteBuf all = Unpooled.buffer();
        new PasswordMessage(Bytes.ofText("x")).encodeTo(all);
        new Sync().encodeTo(all);
        new Query("q").encodeTo(all);
        decoder.feed(alloc.buffer().writeBytes(all));

        Batch password = decoder.next().orElseThrow();
        assertThat(password.marks()).isEqualTo(1);
        password.release();
        decoder.policy(DecodePolicy.FRONTEND);
        Batch rest = decoder.next().orElseThrow();
        assertThat(rest.marks()).isEqualTo(2);
        rest.release();
    }

    @Test
    void shouldApplyTheNewPolicyToAFrameThatIsHeld() {
        var decoder = new FrameDecoder(DecodePolicy.LOGIN);
        decoder.feed(alloc.buffer().writeByte('p').writeInt(100).writeZero(50));
        assertThat(decoder.next()).isEmpty();
        decoder.policy(DecodePolicy.FRONTEND);

        assertThatThrownBy(decoder::next).hasMessage("invalid frontend message type 112");
    }

    @Test
    void shouldHoldALimitedAmountOfAQueryAndThenPassItInPieces() {
        var decoder = new FrameDecoder(DecodePolicy.FRONTEND);
        decoder.feed(alloc.buffer().writeByte('Q').writeInt(1_000_000).writeZero(65_530));
        assertThat(decoder.next()).isEmpty();
        decoder.feed(alloc.buffer().writeZero(10));
        Batch head = decoder.next().orElseThrow();

        assertThat(head.marks()).isEqualTo(1);
        assertThat(head.complete(0)).isFalse();
        assertThat(head.declaredLength(0)).isEqualTo(1_000_001);
        assertThat(head.endsInsideFrame()).isTrue();
        head.release();

        decoder.feed(alloc.buffer().writeZero(1));
        Batch piece = decoder.next().orElseThrow();
        assertThat(piece.marks()).isZero();
        assertThat(piece.startsInsideFrame()).isTrue();
        piece.release();
    }

    @Test
    void shouldPassALargeRowInConstantMemory() {
        var decoder = new FrameDecoder(DecodePolicy.BACKEND);
        int length = 100 * 1024 * 1024;
        long passed = 0;
        long mostHeld = 0;
        ByteBuf first = alloc.buffer(16_384).writeByte('D').writeInt(length).writeZero(16_379);
        decoder.feed(first);
        for (long fed = 16_384; ; fed += 16_384) {
            for (Optional<Batch> batch = decoder.next(); batch.isPresent(); batch = decoder.next()) {
                passed += batch.get().length();
                batch.get().release();
            }
            mostHeld = Math.max(mostHeld, alloc.metric().usedHeapMemory());
            if (fed > length) {
                break;
            }
            decoder.feed(alloc.buffer(16_384).writeZero((int) Math.min(16_384, length + 1L - fed)));
        }
        assertThat(passed).isEqualTo(length + 1L);
        assertThat(mostHeld).isLessThanOrEqualTo(64);
        assertThat(decoder.insideFrame()).isFalse();
    }

    @Test
    void shouldNotKeepAReadBufferAliveForAPartialHeader() {
        var decoder = new FrameDecoder(DecodePolicy.FRONTEND);
        decoder.feed(alloc.buffer(65_536).writeByte('Q').writeByte(0));
        assertThat(decoder.next()).isEmpty();

        assertThat(alloc.metric().usedHeapMemory()).isLessThanOrEqualTo(64);
        assertThat(decoder.bufferedBytes()).isEqualTo(2);
        decoder.close();
    }

    @Test
    void shouldNotAllocateWhatAHeaderDeclares_checklist1() {
        var decoder = new FrameDecoder(DecodePolicy.FRONTEND);
        decoder.feed(alloc.buffer(16).writeByte('P').writeInt(Limits.LARGE_MESSAGE));
        assertThat(decoder.next()).isEmpty();

        assertThat(alloc.metric().usedHeapMemory()).isLessThanOrEqualTo(64);
        decoder.close();
    }

    @Test
    void shouldHoldALargeParseInManySmallReadsWithoutCopyingItAgainAndAgain_checklist73() {
        int body = 15 * 1024 * 1024;
        assertTimeoutPreemptively(Duration.ofSeconds(30), () -> {
            var decoder = new FrameDecoder(DecodePolicy.FRONTEND);
            decoder.feed(alloc.buffer(5).writeByte('P').writeInt(body + 4));
            for (int fed = 0; fed < body; fed += 64) {
                assertThat(decoder.next().isPresent()).isFalse();
                decoder.feed(alloc.buffer(64).writeZero(64));
            }
            Batch parse = decoder.next().orElseThrow();
            assertThat(parse.complete(0)).isTrue();
            parse.release();
        });
    }

    @Test
    void shouldPassOneReadAsItIs() {
        var decoder = new FrameDecoder(DecodePolicy.BACKEND);
        ByteBuf chunk = alloc.buffer();
        DataRow.ofText("1").encodeTo(chunk);
        new ReadyForQuery(TransactionStatus.IDLE).encodeTo(chunk);
        decoder.feed(chunk);
        Batch batch = decoder.next().orElseThrow();

        assertThat(batch.bytes()).isSameAs(chunk);
        assertThat(batch.marks()).isEqualTo(1);
        assertThat(ReadyForQuery.decode(batch.body(0)).status()).isEqualTo(TransactionStatus.IDLE);
        batch.release();
    }

    @Test
    void shouldMakeBatchesOfMessages() {
        Batch batch = Batch.of(new Query("a"), new Sync());
        Batch login = Batch.of(DecodePolicy.LOGIN, new PasswordMessage(Bytes.ofText("x")));

        assertThat(batch.marks()).isEqualTo(2);
        assertThat(batch.contains((byte) 'S')).isTrue();
        assertThat(batch.contains((byte) 'P')).isFalse();
        assertThat(login.type(0)).isEqualTo((byte) 'p');
        assertThatThrownBy(() -> Batch.of()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Batch.of(DecodePolicy.LOGIN, new Sync(), new Sync()))
                .isInstanceOf(IllegalArgumentException.class);
        batch.release();
        login.release();
    }

    @Test
    void shouldThrowNothingButViolationsForGarbage() {
        long seed = 99;
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            for (DecodePolicy policy : List.of(DecodePolicy.FRONTEND, DecodePolicy.LOGIN, DecodePolicy.BACKEND)) {
                var decoder = new FrameDecoder(policy);
                try {
                    for (int reads = random.nextInt(4); reads >= 0; reads--) {
                        decoder.feed(garbage(random));
                        decoder.next().ifPresent(Batch::release);
                    }
                } catch (ProtocolViolation violation) {
                    assertThat(violation.getMessage()).isNotEmpty();
                } catch (RuntimeException other) {
                    throw new AssertionError("seed " + seed + ", round " + i, other);
                } finally {
                    decoder.close();
                }
            }
        }
    }

    private ByteBuf garbage(Random random) {
        ByteBuf chunk = alloc.buffer();
        for (int n = random.nextInt(30); n >= 0; n--) {
            // Mostly what can be a header: a type that may exist and a short length.
            chunk.writeByte(random.nextInt(8) == 0 ? random.nextInt() : "QPBSDZTpdE".charAt(random.nextInt(10)));
            chunk.writeInt(random.nextInt(8) == 0 ? random.nextInt() : 4 + random.nextInt(8));
        }
        return chunk;
    }
}
