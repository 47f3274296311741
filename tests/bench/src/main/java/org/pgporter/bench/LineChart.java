package org.pgporter.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Curves over a common axis.
///
/// @param logarithmic both axes; otherwise both are linear and the upright one begins at zero
record LineChart(String title, String across, String up, boolean logarithmic, List<Curve> curves) {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 460;
    private static final int LEFT = 80;
    private static final int TOP = 40;
    private static final int RIGHT = 260;
    private static final int BOTTOM = 60;
    private static final int TICKS = 5;
    private static final String GRID = "#dddddd";

    /// @param dashed for a second curve of the same colour
    record Curve(String name, String colour, boolean dashed, List<Point> points) {}

    record Point(double x, double y) {}

    /// Empty when there is no curve with a point.
    String svg() {
        var drawing = new Svg(WIDTH, HEIGHT).text(LEFT, 22, Svg.Anchor.START, title);
        var points = curves.stream().flatMap(it -> it.points().stream()).toList();
        if (points.isEmpty()) {
            return drawing.text(LEFT, HEIGHT / 2.0, Svg.Anchor.START, "nothing was measured")
                    .end();
        }
        var x = Axis.of(points.stream().map(Point::x).toList(), logarithmic);
        var y = Axis.of(points.stream().map(Point::y).toList(), logarithmic);
        for (var tick : x.ticks(TICKS)) {
            var at = across(x, tick);
            drawing.line(at, TOP, at, HEIGHT - BOTTOM, GRID);
            drawing.text(at, HEIGHT - BOTTOM + 18.0, Svg.Anchor.MIDDLE, number(tick));
        }
        for (var tick : y.ticks(TICKS)) {
            var at = up(y, tick);
            drawing.line(LEFT, at, WIDTH - RIGHT, at, GRID);
            drawing.text(LEFT - 8.0, at + 4, Svg.Anchor.END, number(tick));
        }
        drawing.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 15.0, Svg.Anchor.MIDDLE, across);
        drawing.text(8, TOP - 4.0, Svg.Anchor.START, up);
        for (int i = 0; i < curves.size(); i++) {
            var curve = curves.get(i);
            drawing.polyline(
                    curve.points().stream()
                            .map(it -> String.format(Locale.ROOT, "%.1f,%.1f", across(x, it.x()), up(y, it.y())))
                            .collect(Collectors.joining(" ")),
                    curve.colour(),
                    curve.dashed());
            var at = TOP + 10 + i * 18.0;
            drawing.line(WIDTH - RIGHT + 12.0, at, WIDTH - RIGHT + 34.0, at, curve.colour());
            drawing.text(WIDTH - RIGHT + 40.0, at + 4, Svg.Anchor.START, curve.name());
        }
        return drawing.end();
    }

    private static double across(Axis axis, double value) {
        return LEFT + axis.place(value) * (WIDTH - RIGHT - LEFT);
    }

    private static double up(Axis axis, double value) {
        return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - BOTTOM - TOP);
    }

    static String number(double value) {
        return String.format(Locale.ROOT, value >= 10 || value == 0 ? "%.0f" : value >= 1 ? "%.1f" : "%.2f", value);
    }

    /// A scale from the smallest to the largest value.
    record Axis(double least, double most, boolean logarithmic) {
        private static final double SMALLEST = 1e-3;

        static Axis of(List<Double> values, boolean logarithmic) {
            var least = values.stream().min(Double::compare).orElse(0.0);
            var most = values.stream().max(Double::compare).orElse(1.0);
            if (logarithmic) {
                least = Math.max(least, SMALLEST);
                return new Axis(least, Math.max(most, least * 2), true);
            }
            return new Axis(Math.min(least, 0), most > 0 ? most * 1.05 : 1, false);
        }

        /// From 0 at the least to 1 at the most.
        double place(double value) {
            return logarithmic
                    ? Math.log(Math.max(value, SMALLEST) / least) / Math.log(most / least)
                    : (value - least) / (most - least);
        }

        List<Double> ticks(int number) {
            return IntStream.rangeClosed(0, number)
                    .mapToObj(it -> logarithmic
                            ? least * Math.pow(most / least, it / (double) number)
                            : least + (most - least) * it / number)
                    .toList();
        }
    }
}
