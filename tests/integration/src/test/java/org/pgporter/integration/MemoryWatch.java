package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.lang.management.ManagementFactory;

/// What is alive in this JVM, test and node together: the heap after a collection, and Netty's direct buffers.
final class MemoryWatch {
    private static final long MEGABYTE = 1024 * 1024;

    private final long atFirst = live();
    private long most = atFirst;

    /// Call now and then while something goes on.
    void looks() {
        most = Math.max(most, live());
    }

    /// How much more there was at any look than at first.
    void sawAtMost(long megabytes) {
        looks();
        assertThat((most - atFirst) / MEGABYTE).as("megabytes").isLessThanOrEqualTo(megabytes);
    }

    private static long live() {
        System.gc();
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        return heap
                + ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                        .metric()
                        .usedDirectMemory();
    }
}
