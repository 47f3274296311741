package org.pgporter.node.admin;

import java.util.OptionalLong;
import org.pgporter.node.stats.TimeHistogram;

/// Quantiles of a histogram: the upper bound of the bucket in which they are, so they are never shown too small, and by
/// a
/// factor of two too large at most.
///
/// @param counts by the index of the bucket
record Quantiles(long[] counts) {
    /// Of what came between two readings.
    static Quantiles between(long[] before, long[] after) {
        long[] counts = after.clone();
        for (int i = 0; i < counts.length; i++) {
            counts[i] = Math.max(0, counts[i] - before[i]);
        }
        return new Quantiles(counts);
    }

    /// In microseconds; empty where nothing was measured, or where it took longer than the last bound.
    OptionalLong micros(double quantile) {
        long all = 0;
        for (long count : counts) {
            all += count;
        }
        long rank = Math.max(1, (long) Math.ceil(all * quantile));
        long seen = 0;
        for (int i = 0; i < counts.length - 1; i++) {
            seen += counts[i];
            if (all > 0 && seen >= rank) {
                return OptionalLong.of(TimeHistogram.upperBound(i) / 1000);
            }
        }
        return OptionalLong.empty();
    }
}
