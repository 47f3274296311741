package org.pgporter.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class OutputTest {
    private static final PgPorter NODE = new PgPorter(Path.of(""), "epoll", 1, "");
    private static final Peer ODD = new Peer(Peer.Kind.ODYSSEY, Path.of(""), "1.5 <\"&\">");

    @TempDir
    private Path directory = Path.of("");

    @Test
    void shouldDrawABarForEachValue() throws Exception {
        var results = Samples.results(
                Samples.SIMPLE, Metric.CPU_MICROS, Map.of(NODE.name(), List.of(10.0), ODD.name(), List.of(20.0)));
        var charts = new Charts(plan(), List.of(NODE.name(), ODD.name()), results);

        var drawing = parse(charts.cpu());

        // The background, two bars, and two squares of the legend; the longer bar is twice as long
        var rectangles = drawing.getElementsByTagName("rect");
        assertThat(rectangles.getLength()).isEqualTo(5);
        assertThat(width(drawing, 2)).isCloseTo(2 * width(drawing, 1), org.assertj.core.data.Offset.offset(0.2));
        assertThat(drawing.getDocumentElement().getTextContent()).contains("1.5 <\"&\">");
    }

    @Test
    void shouldDrawACurveForEachPercentile() throws Exception {
        var results = new Results();
        for (var clients : List.of(1, 20, 10_000)) {
            var work = Catalogue.select(Setup.PLAIN, Work.Protocol.SIMPLE, clients);
            Samples.add(results, work, Metric.P50_MILLIS, Map.of(NODE.name(), List.of(clients * 0.1)));
            Samples.add(results, work, Metric.P99_MILLIS, Map.of(NODE.name(), List.of(clients * 0.2)));
        }

        var drawing = parse(new Charts(plan(), List.of(NODE.name()), results).latency(Work.Protocol.SIMPLE));

        var curves = drawing.getElementsByTagName("polyline");
        assertThat(curves.getLength()).isEqualTo(2);
        var points = curves.item(0).getAttributes().getNamedItem("points").getTextContent();
        assertThat(points.split(" ")).hasSize(3);
    }

    @Test
    void shouldDrawNothingOfNothing() throws Exception {
        var drawing = parse(new Charts(plan(), List.of(), new Results()).latency(Work.Protocol.SIMPLE));

        assertThat(drawing.getDocumentElement().getTextContent()).contains("nothing was measured");
    }

    @Test
    void shouldDrawMemoryOverTime() throws Exception {
        var samples = List.of(
                new Soak.Sample(0, 100, OptionalLong.of(10), OptionalLong.empty(), OptionalLong.of(1), 0),
                new Soak.Sample(30, 110, OptionalLong.of(11), OptionalLong.empty(), OptionalLong.of(1), 2));

        var drawing = parse(SoakChart.of("PgPorter", samples).svg());

        assertThat(drawing.getElementsByTagName("polyline").getLength()).isEqualTo(4);
        assertThat(samples.getLast().csv()).isEqualTo("30.0,110,11,,1,2.00\n");
    }

    @Test
    void shouldTellMemoryOfTheBeginningFromThatOfTheEnd() {
        var samples = java.util.stream.LongStream.rangeClosed(0, 19)
                .mapToObj(it -> new Soak.Sample(
                        it, it * 1_000_000, OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), 0))
                .toList();

        assertThat(Soak.span(samples, it -> OptionalLong.of(it.resident())))
                .isEqualTo("2.0 MB at the beginning, 19.0 MB at the end, from 2.0 to 19.0 MB in between\n");
        assertThat(Soak.span(samples, Soak.Sample::heap)).isEqualTo("not known\n");
    }

    @Test
    void shouldPlaceValuesOnBothKindsOfAxes() {
        assertThat(new LineChart.Axis(0, 10, false).place(5)).isEqualTo(0.5);
        assertThat(new LineChart.Axis(1, 10_000, true).place(100)).isEqualTo(0.5);
    }

    @Test
    void shouldWriteEverythingThatWasMeasuredAndWhyTheRestWasNot() throws Exception {
        // Given
        var results = Samples.results(Samples.SIMPLE, Metric.CPU_MICROS, Map.of(NODE.name(), List.of(10.0, 12.5)));
        results.fail(Samples.SIMPLE, ODD.name(), "fails: a word\nerror: it | broke\nanother");
        var working = Files.createDirectories(directory.resolve("working/plain/pgporter"));
        Files.writeString(working.resolve("pgporter.yaml"), "general:\n");
        Files.writeString(working.resolve("server.key"), "secret");
        var report = new Report(plan(), List.of(ODD, NODE), results, List.of("Machine: none"));

        // When
        new Output(directory.resolve("out")).write(report, directory.resolve("working"));

        // Then
        var out = directory.resolve("out");
        assertThat(out.resolve("measurements.csv")).hasContent("""
                work,contender,round,metric,value
                select-simple-20,"PgPorter epoll, 1 loop",1,cpu_micros,10.0000
                select-simple-20,"PgPorter epoll, 1 loop",2,cpu_micros,12.5000
                """);
        assertThat(out.resolve("report.md"))
                .content()
                .contains(
                        "* Machine: none\n",
                        "| PgPorter epoll, 1 loop | 11.3 | 10.0 – 12.5 |",
                        "| error: it / broke |");
        assertThat(out.resolve("reasons.txt")).content().contains("another");
        assertThat(out.resolve("configurations/plain/pgporter/pgporter.yaml")).hasContent("general:\n");
        assertThat(out.resolve("configurations/plain/pgporter/server.key")).doesNotExist();
        assertThat(out.resolve("cpu.svg")).exists();
        assertThat(out.resolve("latency-simple.svg")).exists();
        assertThat(Optional.of(out.resolve("latency-prepared.svg")))
                .get()
                .satisfies(it -> assertThat(it).exists());
    }

    private static Plan plan() {
        return Plan.quick(List.of(
                Samples.SIMPLE,
                Catalogue.select(Setup.PLAIN, Work.Protocol.SIMPLE, 1),
                Catalogue.select(Setup.PLAIN, Work.Protocol.SIMPLE, 10_000)));
    }

    private static Document parse(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }

    private static double width(Document drawing, int rectangle) {
        return Double.parseDouble(drawing.getElementsByTagName("rect")
                .item(rectangle)
                .getAttributes()
                .getNamedItem("width")
                .getTextContent());
    }
}
