package org.pgporter.bench;

import java.util.List;

/// Colours that stay apart also for those who see fewer (Okabe and Ito).
final class Colours {
    private static final List<String> ALL =
            List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999");

    private Colours() {}

    /// The colour of the line with this number.
    static String of(int number) {
        return ALL.get(number % ALL.size());
    }
}
