package org.pgporter.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/// Guesses which word somebody meant.
public final class NearestKey {
    private NearestKey() {}

    /// The candidate that fewest typing mistakes make `typed`; empty when none is near: three mistakes at most,
    /// and no more than a third of the word.
    public static Optional<String> of(String typed, Collection<String> candidates) {
        int near = Math.min(Math.max(1, typed.length() / 3), 3);
        return candidates.stream()
                .sorted()
                .filter(candidate -> Math.abs(candidate.length() - typed.length()) <= near)
                .filter(candidate -> distance(typed, candidate) <= near)
                .min(Comparator.comparingInt(candidate -> distance(typed, candidate)));
    }

    /// Characters to insert, to delete or to change, and neighbours to swap (the optimal string alignment
    /// distance).
    static int distance(String a, String b) {
        int[] twoAbove = new int[b.length() + 1];
        int[] above = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1], above[j]) + 1, above[j - 1] + change);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    row[j] = Math.min(row[j], twoAbove[j - 2] + 1);
                }
            }
            twoAbove = above;
            above = row;
        }
        return above[b.length()];
    }
}
