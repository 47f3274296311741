package org.pgporter.soak;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.lang.management.ManagementFactory;

/// The memory of this JVM, node and clients together, after a garbage collection.
///
/// @param heap bytes of live objects
/// @param direct bytes that Netty's allocator has taken from the operating system for buffers
record Footprint(long heap, long direct) {
    private static final long MEBIBYTE = 1 << 20;
    // One collection may leave what finalization and soft references still hold.
    private static final int COLLECTIONS = 3;

    static Footprint now() {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
        }
        return new Footprint(
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                        .metric()
                        .usedDirectMemory());
    }

    @Override
    public String toString() {
        return "heap %.1f MiB, direct %.1f MiB".formatted((double) heap / MEBIBYTE, (double) direct / MEBIBYTE);
    }
}
