package org.pgporter.auth.hba;

import java.net.InetAddress;
import java.util.Optional;

/// A connection attempt, as far as the rules of `pg_hba.conf` ask about it.
///
/// @param address where the client is; empty on a Unix socket
/// @param tls the connection is encrypted
/// @param database as the client named it
/// @param user as the client named it
/// @param physicalReplication a walsender without a database is wanted: matched by the word `replication` only
public record HbaRequest(
        Optional<InetAddress> address, boolean tls, String database, String user, boolean physicalReplication) {
    /// The client came through a Unix socket.
    public boolean local() {
        return address.isEmpty();
    }
}
