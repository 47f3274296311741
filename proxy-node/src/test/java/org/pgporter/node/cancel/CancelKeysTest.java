package org.pgporter.node.cancel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.cluster.NodeId;
import org.pgporter.config.ClusterConfig;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ProtocolVersion;

class CancelKeysTest {
    private static final ProtocolVersion V3_0 = ProtocolVersion.V3_0;
    private static final ProtocolVersion V3_2 = ProtocolVersion.V3_2;
    private static final int NUMBERS = 1 << 21;

    @Test
    void shouldNameTheNodeInTheProcessIdAndKeepTheSignBitClear() { // checklist 66
        // Given
        var keys = keys(ClusterConfig.MAX_NODE_INDEX);

        // When
        int processId = keys.issue(V3_0, "a").processId();

        // Then
        assertThat(processId).isPositive();
        assertThat(processId >>> 21).isEqualTo(ClusterConfig.MAX_NODE_INDEX);
    }

    @Test
    void shouldHaveRoomForFourBytesInProtocol30() {
        assertThat(keys(0).issue(V3_0, "a").secret().size()).isEqualTo(4);
        assertThat(keys(0).issue(new ProtocolVersion(3, 1), "a").secret().size())
                .isEqualTo(4);
    }

    @Test
    void shouldLayOutLongKeysAsDocumented() {
        // Given
        var keys = new CancelKeys<String>(new NodeId(5, 0x01020304), new SecureRandom());
        keys.issue(V3_2, "first");

        // When
        BackendKeyData key = keys.issue(V3_2, "second");

        // Then
        ByteBuffer secret = ByteBuffer.wrap(key.secret().toArray());
        assertThat(secret.remaining()).isEqualTo(32);
        assertThat(secret.get()).isEqualTo((byte) 1);
        assertThat(secret.getInt()).isEqualTo(5);
        assertThat(secret.getInt()).isEqualTo(0x01020304);
        byte[] number = new byte[7];
        secret.get(number);
        assertThat(number).containsExactly(0, 0, 0, 0, 0, 0, 2);
    }

    @Test
    void shouldNotRepeatTheSignedPart() {
        // Given
        var keys = keys(0);
        Set<Bytes> macs = new HashSet<>();

        // When
        for (int i = 0; i < 1_000; i++) {
            byte[] secret = keys.issue(V3_2, "a").secret().toArray();
            macs.add(Bytes.of(Arrays.copyOfRange(secret, 16, 32)));
        }

        // Then
        assertThat(macs).hasSize(1_000);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void shouldFindTheSessionOfAKeyOnly(int minor) { // checklist 62
        // Given
        var keys = keys(3);
        BackendKeyData key = keys.issue(new ProtocolVersion(3, minor), "a");
        BackendKeyData other = keys.issue(new ProtocolVersion(3, minor), "b");

        // When, Then
        assertThat(keys.find(key.processId(), key.secret())).contains("a");
        assertThat(keys.find(other.processId(), other.secret())).contains("b");
        assertThat(keys.find(other.processId(), key.secret())).isEmpty();
        assertThat(keys.find(key.processId() + 2, key.secret())).isEmpty();
        byte[] secret = key.secret().toArray();
        for (int i = 0; i < secret.length; i++) {
            byte[] wrong = secret.clone();
            wrong[i] ^= 1;
            assertThat(keys.find(key.processId(), Bytes.of(wrong)))
                    .as("byte %d", i)
                    .isEmpty();
        }
        assertThat(keys.find(key.processId(), Bytes.of(Arrays.copyOf(secret, secret.length - 1))))
                .isEmpty();
        assertThat(keys.find(key.processId(), Bytes.of(Arrays.copyOf(secret, secret.length + 1))))
                .isEmpty();
        assertThat(keys.find(key.processId(), Bytes.EMPTY)).isEmpty();
    }

    @Test
    void shouldForgetASession() {
        // Given
        var keys = keys(0);
        BackendKeyData key = keys.issue(V3_0, "a");

        // When
        keys.forget(key.processId());
        keys.forget(key.processId());

        // Then
        assertThat(keys.find(key.processId(), key.secret())).isEmpty();
        assertThat(keys.size()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    @Timeout(30)
    void shouldPassOverNumbersInUseWhenTheSequenceWraps(int node) {
        // Given sessions that have lived since the beginning
        var keys = new CancelKeys<String>(new NodeId(node, 1), new QuickRandom());
        Set<Integer> old = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            old.add(keys.issue(V3_0, "old").processId());
        }

        // When, Then
        for (int i = 0; i < NUMBERS + 10; i++) {
            int processId = keys.issue(V3_0, "new").processId();
            if (processId <= 0 || processId >>> 21 != node || old.contains(processId)) {
                assertThat(processId).as("key %d", i).isPositive().isNotIn(old);
                assertThat(processId >>> 21).as("key %d", i).isEqualTo(node);
            }
            keys.forget(processId);
        }
        assertThat(keys.size()).isEqualTo(5);
    }

    @Test
    @Timeout(60)
    void shouldRefuseRatherThanSearchForeverWhenEveryNumberIsInUse() {
        // Given
        var keys = new CancelKeys<String>(new NodeId(1, 1), new QuickRandom());
        int last = 0;
        for (int i = 0; i < NUMBERS; i++) {
            last = keys.issue(V3_0, "a").processId();
        }
        assertThat(keys.size()).isEqualTo(NUMBERS);

        // When, Then
        assertThatThrownBy(() -> keys.issue(V3_2, "b")).isInstanceOf(IllegalStateException.class);
        keys.forget(last);
        assertThat(keys.issue(V3_2, "b").processId()).isEqualTo(last);
    }

    @Test
    @Timeout(30)
    void shouldNotGiveOneKeyToTwoSessions() throws Exception {
        // Given
        var keys = keys(7);
        Set<Integer> seen = ConcurrentHashMap.newKeySet();
        Callable<Integer> client = () -> {
            int doubles = 0;
            for (int i = 0; i < 5_000; i++) {
                doubles += seen.add(keys.issue(V3_0, "a").processId()) ? 0 : 1;
            }
            return doubles;
        };

        // When, Then
        try (var executor = Executors.newFixedThreadPool(8)) {
            List<Callable<Integer>> clients = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                clients.add(client);
            }
            for (var doubles : executor.invokeAll(clients)) {
                assertThat(doubles.get()).isZero();
            }
        }
        assertThat(keys.size()).isEqualTo(40_000);
    }

    private static CancelKeys<String> keys(int node) {
        return new CancelKeys<>(new NodeId(node, 1), new SecureRandom());
    }

    /// For tests that make millions of keys and do not look at their secrets.
    @SuppressWarnings("serial")
    private static final class QuickRandom extends SecureRandom {
        private final Random random = new Random(1);

        @Override
        public void nextBytes(byte[] bytes) {
            random.nextBytes(bytes);
        }
    }
}
