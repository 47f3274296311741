package org.pgporter.node.cancel;

import java.nio.ByteBuffer;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.pgporter.cluster.NodeId;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ProtocolVersion;

/// Makes the cancel keys of this node's sessions and finds the session that a key belongs to.
///
/// The process id of every key names the node (bits 21 to 30) and a number of the session on it (bits 0 to 20);
/// the sign bit stays clear, because some tools print or parse it as an unsigned number. Protocol 3.0 has room
/// for four secret bytes only, which are random. From protocol 3.2 on a key has 32 bytes, so that any node can
/// tell a real one from a guess before it does any work:
///
/// ```
/// byte 0      version of this layout
/// byte 1-4    index of the node
/// byte 5-8    incarnation of the node
/// byte 9-15   number of the session, never used twice by one incarnation
/// byte 16-31  HMAC-SHA256 over the above and the process id, cut to 128 bits
/// ```
///
/// `T` is what a key leads to. Safe to use from every thread.
public final class CancelKeys<T> {
    private static final int SEQUENCE_BITS = 21;
    private static final int SEQUENCE_MASK = (1 << SEQUENCE_BITS) - 1;
    private static final byte LAYOUT = 1;
    private static final int SIGNED = 16;

    private final NodeId node;
    private final SecureRandom random;
    private final SecretKeySpec macKey;
    private final AtomicInteger sequence = new AtomicInteger();
    private final java.util.concurrent.atomic.AtomicLong sessions = new java.util.concurrent.atomic.AtomicLong();
    private final ConcurrentHashMap<Integer, Entry<T>> entries = new ConcurrentHashMap<>();

    private record Entry<T>(byte[] secret, T session) {}

    public CancelKeys(NodeId node, SecureRandom random) {
        this.node = node;
        this.random = random;
        byte[] key = new byte[32];
        random.nextBytes(key);
        this.macKey = new SecretKeySpec(key, "HmacSHA256");
    }

    /// A key for a session that speaks this version of the protocol. It leads to the session until [#forget].
    ///
    /// @throws IllegalStateException when all 2^21 numbers belong to living sessions
    public BackendKeyData issue(ProtocolVersion version, T session) {
        for (int tried = 0; tried <= SEQUENCE_MASK; tried++) {
            int number = sequence.incrementAndGet() & SEQUENCE_MASK;
            int processId = node.index() << SEQUENCE_BITS | number;
            if (processId == 0 || entries.containsKey(processId)) {
                continue;
            }
            byte[] secret = version.compareTo(ProtocolVersion.V3_2) < 0 ? fourBytes() : signed(processId);
            if (entries.putIfAbsent(processId, new Entry<>(secret, session)) == null) {
                return new BackendKeyData(processId, Bytes.of(secret));
            }
        }
        throw new IllegalStateException("every cancel key of this node is in use");
    }

    /// The session with this key, compared in constant time.
    public Optional<T> find(int processId, Bytes secret) {
        Entry<T> entry = entries.get(processId);
        if (entry == null || !MessageDigest.isEqual(entry.secret(), secret.toArray())) {
            return Optional.empty();
        }
        return Optional.of(entry.session());
    }

    public void forget(int processId) {
        entries.remove(processId);
    }

    /// How many sessions can be cancelled.
    public int size() {
        return entries.size();
    }

    private byte[] fourBytes() {
        byte[] secret = new byte[4];
        random.nextBytes(secret);
        return secret;
    }

    private byte[] signed(int processId) {
        ByteBuffer key = ByteBuffer.allocate(32);
        key.put(LAYOUT).putInt(node.index()).putInt(node.incarnation());
        long session = sessions.incrementAndGet();
        for (int shift = 48; shift >= 0; shift -= 8) {
            key.put((byte) (session >>> shift));
        }
        key.put(Arrays.copyOf(mac(Arrays.copyOf(key.array(), SIGNED), processId), 16));
        return key.array();
    }

    private byte[] mac(byte[] head, int processId) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(macKey);
            mac.update(head);
            return mac.doFinal(ByteBuffer.allocate(4).putInt(processId).array());
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("HmacSHA256 is not available", e);
        }
    }
}
