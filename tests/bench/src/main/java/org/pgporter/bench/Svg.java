package org.pgporter.bench;

import java.util.Locale;

/// Writes a drawing as SVG, element by element. Lengths are in pixels, from the upper left corner.
final class Svg {
    private final StringBuilder text = new StringBuilder();

    Svg(int width, int height) {
        text.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                        + " font-family=\"sans-serif\" font-size=\"12\">%n",
                width,
                height,
                width,
                height));
        rectangle(0, 0, width, height, "#ffffff");
    }

    /// Where a text lies beside its point.
    enum Anchor {
        START,
        MIDDLE,
        END
    }

    Svg rectangle(double x, double y, double width, double height, String colour) {
        return element(
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
                x, y, width, height, colour);
    }

    Svg line(double x1, double y1, double x2, double y2, String colour) {
        return element("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>", x1, y1, x2, y2, colour);
    }

    /// @param points `x,y` and so on
    /// @param dashed for a second kind of line of the same colour
    Svg polyline(String points, String colour, boolean dashed) {
        return element(
                "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s/>",
                points, colour, dashed ? " stroke-dasharray=\"5,4\"" : "");
    }

    Svg text(double x, double y, Anchor anchor, String words) {
        return element(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
                x, y, anchor.name().toLowerCase(Locale.ROOT), escaped(words));
    }

    String end() {
        return text + "</svg>\n";
    }

    private Svg element(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
        return this;
    }

    private static String escaped(String words) {
        return words.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
