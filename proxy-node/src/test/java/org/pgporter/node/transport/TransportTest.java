package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class TransportTest {
    private static final SocketOptions CONFIGURED =
            new SocketOptions(true, 11, 12, 13, Duration.ofSeconds(14), Optional.of(3), 65_536);

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldTellTheKernelInItsOwnUnits() { // checklist 122
        assertThat(Transport.of(IoKind.EPOLL).tcpOptions(CONFIGURED))
                .containsEntry(EpollChannelOption.TCP_USER_TIMEOUT, 14_000)
                .containsEntry(EpollChannelOption.TCP_KEEPIDLE, 11)
                .containsEntry(EpollChannelOption.TCP_KEEPINTVL, 12)
                .containsEntry(EpollChannelOption.TCP_KEEPCNT, 13)
                .containsEntry(ChannelOption.SO_KEEPALIVE, true)
                .containsEntry(ChannelOption.SO_LINGER, 3);
    }

    @Test
    void shouldLeaveToTheKernelWhatIsZero() {
        assertThat(Transport.of(IoKind.NIO).tcpOptions(SocketOptions.plain()))
                .containsOnlyKeys(ChannelOption.TCP_NODELAY, ChannelOption.SO_KEEPALIVE)
                .containsEntry(ChannelOption.SO_KEEPALIVE, false);
    }

    /// A timeout longer than the kernel can count is as long as it can count, not negative.
    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldNotOverflow() { // checklist 122
        var options = new SocketOptions(true, 0, 0, 0, Duration.ofDays(365), Optional.empty(), 0);
        assertThat(Transport.of(IoKind.EPOLL).tcpOptions(options))
                .containsEntry(EpollChannelOption.TCP_USER_TIMEOUT, Integer.MAX_VALUE);
    }
}
