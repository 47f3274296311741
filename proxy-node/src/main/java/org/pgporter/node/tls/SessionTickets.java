package org.pgporter.node.tls;

import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.security.SecureRandom;
import java.time.Duration;

/// The keys under which sessions are handed to clients, so that one who comes again needs no signature. They live
/// in memory only, a new one each hour; the one before is still read.
final class SessionTickets {
    private static final Duration LIFE = Duration.ofHours(1);

    private final SecureRandom random = new SecureRandom();
    private OpenSslSessionTicketKey current = next();
    private long since = System.nanoTime();

    synchronized void startIn(OpenSslSessionContext sessions) {
        // Sessions are in the tickets: none is kept here.
        sessions.setSessionCacheEnabled(false);
        sessions.setTicketKeys(current);
    }

    /// To be called now and then.
    synchronized void renewIn(OpenSslSessionContext sessions) {
        if (System.nanoTime() - since > LIFE.toNanos()) {
            OpenSslSessionTicketKey before = current;
            current = next();
            since = System.nanoTime();
            sessions.setTicketKeys(current, before); // the first one encrypts
        }
    }

    private OpenSslSessionTicketKey next() {
        return new OpenSslSessionTicketKey(
                bytes(OpenSslSessionTicketKey.NAME_SIZE),
                bytes(OpenSslSessionTicketKey.HMAC_KEY_SIZE),
                bytes(OpenSslSessionTicketKey.AES_KEY_SIZE));
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
