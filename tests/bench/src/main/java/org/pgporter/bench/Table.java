package org.pgporter.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// One table of the report, in Markdown: works of one kind, a line for each contender.
///
/// @param base the contender that ratios are taken to; none without it
record Table(List<Column> columns, List<String> contenders, Results results, Optional<String> base) {
    private static final String NONE = "–";
    private static final int REASON = 120;
    private static final Pattern ERROR = Pattern.compile("error: |ERROR|FATAL");

    /// @param format for the median
    /// @param kind what stands in the cell
    record Column(String title, Metric metric, String format, Kind kind) {
        enum Kind {
            MEDIAN,
            /// The lowest and the highest of the rounds.
            RANGE,
            /// The median of the rounds' ratios to the base.
            RATIO
        }

        static Column median(String title, Metric metric, String format) {
            return new Column(title, metric, format, Kind.MEDIAN);
        }

        static Column range(Metric metric, String format) {
            return new Column("lowest – highest", metric, format, Kind.RANGE);
        }

        static Column ratio(String title, Metric metric) {
            return new Column(title, metric, "%.2f", Kind.RATIO);
        }
    }

    String markdown(List<? extends Work> works) {
        var titles = columns.stream().map(Column::title);
        return row(Stream.concat(Stream.of("work", ""), titles))
                + row(Stream.concat(Stream.of("---", "---"), columns.stream().map(_ -> "--:")))
                + works.stream()
                        .flatMap(work -> contenders.stream().map(contender -> row(work, contender)))
                        .collect(Collectors.joining());
    }

    private String row(Work work, String contender) {
        var cells =
                columns.stream().map(column -> cell(column, work, contender)).toList();
        var reason = results.missing(work, contender);
        if (cells.stream().allMatch(NONE::equals)) {
            cells = Stream.concat(
                            Stream.of(reason.map(Table::brief).orElse("not measured")),
                            columns.stream().skip(1).map(_ -> NONE))
                    .toList();
        }
        return row(Stream.concat(Stream.of(work.title(), contender), cells.stream()));
    }

    private String cell(Column column, Work work, String contender) {
        return switch (column.kind()) {
            case MEDIAN -> number(column, results.median(work, contender, column.metric()));
            case RATIO -> number(column, base.flatMap(it -> results.ratio(work, contender, it, column.metric())));
            case RANGE -> {
                var values = results.sorted(work, contender, column.metric());
                yield values.isEmpty()
                        ? NONE
                        : String.format(
                                Locale.ROOT,
                                column.format() + " – " + column.format(),
                                values.getFirst(),
                                values.getLast());
            }
        };
    }

    private static String number(Column column, Optional<Double> value) {
        return value.map(it -> String.format(Locale.ROOT, column.format(), it)).orElse(NONE);
    }

    /// The line of a reason that says most, without what would break the table.
    static String brief(String reason) {
        var line = reason.lines()
                .filter(it -> ERROR.matcher(it).find())
                .findFirst()
                .map(it -> it.substring(Math.max(it.indexOf("error: "), 0)))
                .orElse(reason);
        // Paths and numbers of processes say nothing to the reader of a table.
        var words = line.replaceAll("\\S*/", "")
                .replaceAll("(program \\d+|\\S+) ended at once: ", "")
                .replaceAll("\\s+", " ")
                .replace("|", "/")
                .strip();
        return words.length() <= REASON ? words : words.substring(0, REASON) + " …";
    }

    static String row(Stream<String> cells) {
        return cells.collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}
