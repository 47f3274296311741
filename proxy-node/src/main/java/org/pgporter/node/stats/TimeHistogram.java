package org.pgporter.node.stats;

/// How often something took how long. Written by one thread, read by any: a reader may be a few events behind.
///
/// Bucket 0 is for less than 0.1 ms, and the upper bound of each that follows is twice the one before; the last one has
/// none. That is fine enough for a quantile with a factor of two, and finding the bucket costs a division.
public final class TimeHistogram {
    /// The upper bound of the first bucket, in nanoseconds.
    public static final long FIRST_BOUND = 100_000;

    /// Up to 0.1 ms x 2^19, which is 52 s, and one for what takes longer.
    public static final int BUCKETS = 21;

    private final long[] counts = new long[BUCKETS];

    /// @param nanos at least 0; less is taken as 0
    public void record(long nanos) {
        counts[bucket(nanos)]++;
    }

    static int bucket(long nanos) {
        long firsts = Math.max(nanos, 0) / FIRST_BOUND;
        return Math.min(Long.SIZE - Long.numberOfLeadingZeros(firsts), BUCKETS - 1);
    }

    /// The upper bound of a bucket, in nanoseconds and exclusive; that of the last one is [Long#MAX_VALUE].
    public static long upperBound(int bucket) {
        return bucket == BUCKETS - 1 ? Long.MAX_VALUE : FIRST_BOUND << bucket;
    }

    /// How often each bucket was hit, by its index.
    long[] counts() {
        return counts.clone();
    }
}
