package org.pgporter.node.admin;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.pgporter.node.tls.TlsSession;

/// How PgBouncer's console writes addresses, times and names.
final class Units {
    private Units() {}

    /// An IP address, or `unix`.
    static String address(Optional<SocketAddress> address) {
        return switch (address.orElse(null)) {
            case null -> "";
            case InetSocketAddress internet when internet.getAddress() != null -> text(internet.getAddress());
            case InetSocketAddress _ -> "";
            case SocketAddress _ -> "unix";
        };
    }

    private static String text(InetAddress address) {
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        return zone < 0 ? text : text.substring(0, zone);
    }

    static int port(Optional<SocketAddress> address) {
        return address.orElse(null) instanceof InetSocketAddress internet ? internet.getPort() : 0;
    }

    static long seconds(Duration duration) {
        return duration.toSeconds();
    }

    /// What [#seconds] leaves, in microseconds.
    static long restMicros(Duration duration) {
        return duration.toNanosPart() / 1000;
    }

    static String tls(Optional<TlsSession> session) {
        return session.map(settled -> settled.protocol() + "/" + settled.cipherSuite())
                .orElse("");
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
