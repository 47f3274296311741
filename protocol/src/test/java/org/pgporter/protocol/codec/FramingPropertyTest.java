package org.pgporter.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever the reads look like, the bytes and the marks are the same.
class FramingPropertyTest {

    /// Small bounds, so that every treatment is met by small frames.
    private static final DecodePolicy TINY = DecodePolicy.builder("frontend")
            .head("H", 12, 1_000)
            .head("h", 0, 1_000)
            .whole("W", 100)
            .opaque("O", 1_000)
            .end("E", 1_000)
            .build();

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldCutTheSameAtEverySplitOffset_checklist73(long seed) {
        var conversation = Conversation.random(new Random(seed), "HhWOE", 12, 60, 60, "W");
        int length = conversation.bytes().length;
        for (int first = 0; first <= length; first++) {
            check(TINY, conversation, "seed " + seed, first, length);
            for (int second = first; second <= Math.min(length, first + 30); second++) {
                check(TINY, conversation, "seed " + seed, first, second, length);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void shouldCutTheSameByteByByte_checklist73(long seed) {
        var random = new Random(seed);
        check(TINY, Conversation.random(random, "HhWOE", 40, 90, 90, "W"), seed, random, 1);
        check(DecodePolicy.LOGIN, Conversation.random(random, "pQX\0", 20, 90, 90, ""), seed, random, 1);
        check(DecodePolicy.FRONTEND, Conversation.random(random, "QPBFDCEHScfXd", 40, 90, 90, ""), seed, random, 1);
        check(
                DecodePolicy.BACKEND,
                Conversation.random(random, "ZSKRv123nsICcGHWAETNtVDd", 40, 90, 90, ""),
                seed,
                random,
                1);
    }

    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23, 24, 25, 26})
    void shouldCutTheSameInRandomReadsOfLargeMessages_checklist73(long seed) {
        var random = new Random(seed);
        for (int mostPerRead : new int[] {100, 3_000, 16_384, 65_536, 400_000}) {
            check(
                    DecodePolicy.FRONTEND,
                    Conversation.random(random, "QPBFDCEHScfXd", 25, 200_000, 9_990, "DCEHScfX"),
                    seed,
                    random,
                    mostPerRead);
            check(
                    DecodePolicy.BACKEND,
                    Conversation.random(random, "ZSKRv123nsICcGHWAETNtVDd", 25, 200_000, 29_000, "ZK123nsICcGHW"),
                    seed,
                    random,
                    mostPerRead);
            check(
                    DecodePolicy.LOGIN,
                    Conversation.random(random, "pQX", 10, 65_000, 65_000, ""),
                    seed,
                    random,
                    mostPerRead);
        }
    }

    @Test
    void shouldMakeOneBatchOfFramesThatCameInOneRead() {
        var conversation = Conversation.random(new Random(31), "QPBEDS", 30, 100, 100, "");
        var decoder = new FrameDecoder(DecodePolicy.FRONTEND);
        decoder.feed(conversation.chunk(alloc, 0, conversation.bytes().length));
        Batch batch = decoder.next().orElseThrow();

        assertThat(batch.marks()).isEqualTo(30);
        assertThat(decoder.next()).isEmpty();
        batch.release();
    }

    private void check(DecodePolicy policy, Conversation conversation, long seed, Random random, int mostPerRead) {
        List<Integer> cuts = new ArrayList<>();
        for (int at = 0; at < conversation.bytes().length; ) {
            at = Math.min(conversation.bytes().length, at + 1 + random.nextInt(mostPerRead));
            cuts.add(at);
        }
        check(
                policy,
                conversation,
                "seed " + seed + ", reads of " + mostPerRead,
                cuts.stream().mapToInt(i -> i).toArray());
    }

    private void check(DecodePolicy policy, Conversation conversation, String what, int... cuts) {
        String where = what + ", cut at " + (cuts.length < 20 ? Arrays.toString(cuts) : cuts.length + " places");
        var seen = new Seen(policy, conversation, where);
        var decoder = new FrameDecoder(policy);
        int from = 0;
        for (int cut : cuts) {
            decoder.feed(conversation.chunk(alloc, from, cut));
            for (Optional<Batch> batch = decoder.next(); batch.isPresent(); batch = decoder.next()) {
                seen.take(batch.get());
            }
            from = cut;
        }
        assertThat(decoder.insideFrame()).as(where).isFalse();
        assertThat(decoder.hasBytes()).as(where).isFalse();
        seen.atEnd();
        assertThat(alloc.metric().usedHeapMemory()).as("leak, " + where).isZero();
    }

    /// Compares batches with the conversation as they come. Plain comparisons, because this runs very often.
    private static final class Seen {
        private final DecodePolicy policy;
        private final Conversation conversation;
        private final List<Conversation.Frame> expected;
        private final String where;
        private int at;
        private int mark;
        private boolean inside;

        Seen(DecodePolicy policy, Conversation conversation, String where) {
            this.policy = policy;
            this.conversation = conversation;
            this.where = where;
            this.expected = conversation.frames().stream()
                    .filter(frame -> policy.treatment(frame.type()) != DecodePolicy.OPAQUE)
                    .toList();
        }

        void take(Batch batch) {
            byte[] bytes = new byte[batch.length()];
            batch.bytes().getBytes(0, bytes);
            same(Arrays.equals(bytes, 0, bytes.length, conversation.bytes(), at, at + bytes.length), "bytes");
            same(batch.bytes().readerIndex() == 0 && bytes.length > 0, "reader index, not empty");
            same(batch.startsInsideFrame() == inside, "starts inside");
            same(!policy.oneFramePerBatch() || batch.marks() == 1, "one frame per batch");
            for (int i = 0; i < batch.marks(); i++) {
                same(mark < expected.size(), "too many marks");
                mark(batch, i, expected.get(mark++));
            }
            at += bytes.length;
            inside = conversation.frames().stream().noneMatch(frame -> frame.end() == at);
            same(batch.endsInsideFrame() == inside, "ends inside");
            batch.release();
        }

        private void mark(Batch batch, int i, Conversation.Frame frame) {
            same(batch.type(i) == frame.type(), "type");
            same(batch.contains(frame.type()), "contains");
            same(batch.declaredLength(i) == frame.length(), "declared length");
            byte treatment = policy.treatment(frame.type());
            int start = batch.start(i);
            same(
                    start >= 0 ? at + start == frame.start() : treatment == DecodePolicy.END && frame.start() < at,
                    "start");
            int end = at + batch.end(i);
            same(treatment == DecodePolicy.HEAD ? end <= frame.end() : end == frame.end(), "end");
            same(batch.complete(i) == (start >= 0 && end == frame.end()), "complete");
            int bodyFrom = start < 0 ? at : frame.start() + 5;
            byte[] body = new byte[batch.body(i).readableBytes()];
            batch.body(i).getBytes(0, body);
            same(Arrays.equals(body, Arrays.copyOfRange(conversation.bytes(), bodyFrom, end)), "body");
        }

        void atEnd() {
            same(at == conversation.bytes().length, "all bytes");
            same(mark == expected.size(), "all marks");
        }

        private void same(boolean fact, String what) {
            if (!fact) {
                throw new AssertionError(what + " differs: " + where + ", byte " + at + ", mark " + mark);
            }
        }
    }
}
