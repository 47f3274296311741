package org.pgporter.node.login;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.OptionalInt;
import org.pgporter.auth.hba.HbaRequest;
import org.pgporter.node.tls.TlsSession;

/// A client that wants to come in, as far as it has shown itself.
///
/// @param user the name in its startup packet
/// @param database the name in its startup packet, or `user` where that has none
/// @param physicalReplication it wants a walsender without a database
/// @param remote its address
/// @param tls what TLS has settled; empty without
/// @param peerUser the number of the operating system's user at the other end of a Unix socket, where it can be told
public record LoginRequest(
        String user,
        String database,
        boolean physicalReplication,
        SocketAddress remote,
        Optional<TlsSession> tls,
        OptionalInt peerUser) {

    /// Its IP address; empty on a Unix socket.
    public Optional<InetAddress> address() {
        return remote instanceof InetSocketAddress internet
                ? Optional.ofNullable(internet.getAddress())
                : Optional.empty();
    }

    /// What SCRAM can bind itself to; empty without TLS.
    Optional<byte[]> endPoint() {
        return tls.flatMap(TlsSession::tlsServerEndPoint);
    }

    /// What the rules of `pg_hba.conf` ask about it.
    HbaRequest forRules() {
        return new HbaRequest(address(), tls.isPresent(), database, user, physicalReplication);
    }
}
