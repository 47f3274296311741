package org.pgporter.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A group of bars for each category, lying, so that long names have room.
///
/// @param values for each category, in the order of `series`
record BarChart(String title, List<String> series, List<Category> categories) {
    private static final int WIDTH = 900;
    private static final int LEFT = 300;
    private static final int TOP = 60;
    private static final int RIGHT = 60;
    private static final int BAR = 14;
    private static final int GAP = 12;
    private static final int LEGEND = 18;

    /// @param values as many as there are series; empty where there is none
    record Category(String name, List<Optional<Double>> values) {}

    String svg() {
        var legend = series.size() * LEGEND;
        var group = series.size() * BAR + GAP;
        var drawing =
                new Svg(WIDTH, TOP + categories.size() * group + legend + 20).text(8, 22, Svg.Anchor.START, title);
        var most = categories.stream()
                .flatMap(it -> it.values().stream())
                .flatMap(Optional::stream)
                .max(Double::compare)
                .orElse(1.0);
        for (int i = 0; i < categories.size(); i++) {
            var category = categories.get(i);
            var top = TOP + i * group;
            drawing.text(LEFT - 8.0, top + (group - GAP) / 2.0 + 4, Svg.Anchor.END, category.name());
            for (int j = 0; j < category.values().size(); j++) {
                var y = top + j * BAR;
                var colour = Colours.of(j);
                category.values().get(j).ifPresent(value -> {
                    var width = value / most * (WIDTH - LEFT - RIGHT);
                    drawing.rectangle(LEFT, y, width, BAR - 2.0, colour);
                    drawing.text(
                            LEFT + width + 4,
                            y + BAR - 4.0,
                            Svg.Anchor.START,
                            String.format(Locale.ROOT, "%.1f", value));
                });
            }
        }
        for (int j = 0; j < series.size(); j++) {
            var y = TOP + categories.size() * group + j * LEGEND;
            drawing.rectangle(LEFT, y, 12, 12, Colours.of(j));
            drawing.text(LEFT + 18.0, y + 11.0, Svg.Anchor.START, series.get(j));
        }
        return drawing.end();
    }
}
