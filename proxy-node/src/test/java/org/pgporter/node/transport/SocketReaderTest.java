package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class SocketReaderTest {
    private final SocketReader reader = new SocketReader();
    private final EmbeddedChannel channel = new EmbeddedChannel(reader);

    @Test
    void shouldPauseAboveItsLimitAndGoOnWhenAllIsTaken() {
        arrives(SocketReader.HIGH_WATER);
        assertThat(channel.config().isAutoRead()).isFalse();
        arrives(1);
        take();
        assertThat(channel.config().isAutoRead()).isFalse();
        take();
        assertThat(channel.config().isAutoRead()).isTrue();
        assertThat(reader.bytesIn()).isEqualTo(SocketReader.HIGH_WATER + 1);
    }

    @Test
    void shouldNotBeFilledBySingleBytes() {
        int chunks = 0;
        while (channel.config().isAutoRead()) {
            arrives(1);
            chunks++;
        }
        assertThat(chunks).isLessThan(1000);
    }

    @Test
    void shouldNotKeepALargeBufferForFewBytes() {
        ByteBuf large = Unpooled.buffer(16 * 1024).writeBytes(new byte[] {1, 2, 3});
        channel.pipeline().fireChannelRead(large);

        ByteBuf taken = Objects.requireNonNull(reader.poll(channel), "no chunk is waiting");
        assertThat(large.refCnt()).isZero();
        assertThat(taken.capacity()).isLessThan(64);
        assertThat(ByteBufUtil.getBytes(taken)).containsExactly(1, 2, 3);
        taken.release();
    }

    @Test
    void shouldKeepALargeBufferThatIsUsed() {
        ByteBuf large = Unpooled.buffer(16 * 1024).writeZero(SocketReader.SMALL_CHUNK + 1);
        channel.pipeline().fireChannelRead(large);

        assertThat(reader.poll(channel)).isSameAs(large);
        large.release();
    }

    @Test
    void shouldReleaseWhatNobodyTook() {
        ByteBuf waiting = arrives(10);
        reader.stop();
        ByteBuf late = arrives(10);
        assertThat(waiting.refCnt()).isZero();
        assertThat(late.refCnt()).isZero();
    }

    @Test
    void shouldTellOnceThatThePeerIsGone() {
        List<String> calls = new ArrayList<>();
        arrives(10);
        reader.onClosed(() -> calls.add("first"));
        reader.onClosed(() -> reader.onClosed(() -> calls.add("from within")));
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(calls).containsExactly("first", "from within");
        assertThat(reader.ended()).isFalse();
        take();
        assertThat(reader.ended()).isTrue();
        channel.close();
        reader.onClosed(() -> calls.add("late"));
        assertThat(calls).containsExactly("first", "from within", "late");
    }

    private ByteBuf arrives(int bytes) {
        ByteBuf chunk = Unpooled.buffer(bytes).writeZero(bytes);
        channel.pipeline().fireChannelRead(chunk);
        return chunk;
    }

    private void take() {
        ByteBuf chunk = Objects.requireNonNull(reader.poll(channel), "no chunk is waiting");
        chunk.release();
    }
}
