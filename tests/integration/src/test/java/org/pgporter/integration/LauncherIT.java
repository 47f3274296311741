package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.CopyOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// The launcher with a cache that a training has made, in a checkout of its own that has only what was built.
class LauncherIT {
    private static final String USER = "launcher_user";
    private static final String PASSWORD = "secret";
    private static final Path BUILT = Path.of("..", "..").toAbsolutePath().normalize();

    /// The cache, and what it was made for.
    private static final List<String> CACHE = List.of("pgporter.aot", "pgporter.aot.key");

    /// A class of ours and one of a library; where the JVM has them from is in its log of classes.
    private static final List<String> PRODUCT_CLASSES =
            List.of("org.pgporter.node.session.ServingSession", "io.netty.channel.AbstractChannel");

    @TempDir
    private static Path checkout = Path.of("");

    @TempDir
    private Path folder = Path.of("");

    private static Path target = Path.of("");

    @BeforeAll
    static void train() throws Exception {
        TestPostgres.shared().createUser(USER, PASSWORD, "scram-sha-256");
        checkout = Files.createDirectory(checkout.resolve("a checkout"));
        target = Files.createDirectories(checkout.resolve("proxy-node/target"));
        copy(BUILT.resolve("pgporter"), checkout);
        for (Path jar : jars(BUILT.resolve("proxy-node/target"))) {
            copy(jar, target);
        }
        Files.createDirectory(target.resolve("lib"));
        for (Path jar : jars(BUILT.resolve("proxy-node/target/lib"))) {
            copy(jar, target.resolve("lib"));
        }
        Files.createSymbolicLink(target.resolve("demo-lib"), BUILT.resolve("proxy-node/target/demo-lib"));

        Answer answer = launch(Map.of(), "train");

        assertThat(answer.code()).as(answer.text()).isZero();
        assertThat(target.resolve("pgporter.aot")).isNotEmptyFile();
        for (String file : CACHE) {
            Files.createLink(checkout.resolve(file), target.resolve(file));
        }
    }

    @BeforeEach
    void restoreTheCache() throws IOException {
        for (String file : CACHE) {
            Files.deleteIfExists(target.resolve(file));
            Files.createLink(target.resolve(file), checkout.resolve(file));
        }
    }

    @Test
    void shouldTakeClassesFromTheCacheAndAnswer() throws Exception {
        assertThat(sources("")).allMatch(source -> source.contains("shared objects file"));
        assertAnswersAQuery("");
    }

    @Test
    void shouldStartWithoutACache() throws Exception {
        Files.delete(target.resolve("pgporter.aot"));

        assertQuietVersion("");
        assertAnswersAQuery("");
    }

    @Test
    void shouldSayNothingOfACacheThatWasMadeForOtherJars() throws Exception {
        // Given
        Path jar = jars(target.resolve("lib")).stream()
                .filter(it -> it.getFileName().toString().startsWith("pgporter-protocol"))
                .findFirst()
                .orElseThrow();
        FileTime built = Files.getLastModifiedTime(jar);
        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(10)));
        try {
            // Then
            assertQuietVersion("");
            assertThat(sources("")).noneMatch(source -> source.contains("shared objects file"));
        } finally {
            Files.setLastModifiedTime(jar, built);
        }
    }

    @Test
    void shouldSayNothingOfACacheThatIsNone() throws Exception {
        Files.delete(target.resolve("pgporter.aot"));
        Files.writeString(target.resolve("pgporter.aot"), "half a cache");

        assertQuietVersion("");
        assertAnswersAQuery("");
    }

    @Test
    void shouldStartWithOtherFlagsThanThoseOfTheTraining() throws Exception {
        for (String flags : List.of("-XX:+UseZGC", "-XX:-UseCompressedOops", "-Xmx3g -Xss2m")) {
            assertQuietVersion(flags);
        }
        assertAnswersAQuery("-XX:+UseZGC");
    }

    /// So it starts from a checkout that it may not write to.
    @Test
    void shouldWriteNothingWhereItStarts() throws Exception {
        Map<String, FileTime> before = files();

        assertAnswersAQuery("");

        assertThat(files()).isEqualTo(before);
    }

    @Test
    void shouldSayWhyATrainingFailed() throws Exception {
        // Given: nothing to take the tour with
        Path libraries = target.resolve("demo-lib");
        Path away = Files.move(libraries, target.resolve("away"));
        try {
            // When
            Answer answer = launch(Map.of(), "train");

            // Then
            assertThat(answer.code()).isNotZero();
            assertThat(answer.text()).contains("no AOT cache was made: the demo's libraries are not on the class path");
            assertThat(target.resolve("pgporter.aot")).doesNotExist();
            assertThat(target.resolve("pgporter.aot.unfinished")).doesNotExist();
            assertQuietVersion("");
        } finally {
            Files.move(away, libraries);
        }
    }

    private static void assertQuietVersion(String options) throws Exception {
        assertThat(launch(Map.of("PGPORTER_JAVA_OPTS", options), "--version").text())
                .as(options)
                .matches("PgPorter \\S+\nJava .*\n");
    }

    private void assertAnswersAQuery(String options) throws Exception {
        int port = ProcessIT.freePort();
        TestPostgres postgres = TestPostgres.shared();
        Path config = Files.writeString(folder.resolve("pgporter.yaml"), """
                general: {host: "127.0.0.1", port: %d}
                pools:
                  postgres:
                    server_host: "%s"
                    server_port: %d
                    users: [{username: %s, password: "%s"}]
                """.formatted(
                        port, postgres.host(), postgres.port(), USER, postgres.secretOf(USER)));
        try (Program node = Program.start(
                environment(Map.of("PGPORTER_JAVA_OPTS", options)),
                List.of(checkout.resolve("pgporter").toString(), "serve", "--config", config.toString()))) {
            node.awaitStderr("node accepts clients");
            assertThat(node.stdout()).isEmpty();
            assertThat(node.stderr()).doesNotContainIgnoringCase("aot", "cds");
            try (RawClient client = RawClient.connects("127.0.0.1", port)) {
                client.logsIn(USER, PASSWORD, "postgres");
                assertThat(client.query("select 1")).isEqualTo(List.of(List.of("1")));
            }
            node.signal("TERM");
            assertThat(node.awaitExit()).isZero();
        }
    }

    /// Where the JVM has classes of the product from, as it says itself.
    private List<String> sources(String options) throws Exception {
        Path log = folder.resolve("classes.log");
        String logged = "-Xlog:class+load:file=" + log + " " + options;
        Path config = Files.writeString(folder.resolve("none.yaml"), "pools: {}\n");
        launch(Map.of("PGPORTER_JAVA_OPTS", logged), "check", "--config", config.toString());
        List<String> lines = Files.readAllLines(log);
        return PRODUCT_CLASSES.stream()
                .map(name -> lines.stream()
                        .filter(line -> line.contains(" " + name + " "))
                        .findFirst()
                        .orElse(name + " is not loaded"))
                .toList();
    }

    private static Map<String, String> environment(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(more);
        all.put("PGPORTER_SKIP_BUILD", "1");
        all.put("PGPORTER_JAVA_HOME", System.getProperty("java.home"));
        return all;
    }

    private static Answer launch(Map<String, String> environment, String... arguments) throws Exception {
        Path output = Files.createTempFile("launcher", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(
                    Stream.concat(Stream.of(checkout.resolve("pgporter").toString()), Stream.of(arguments))
                            .toList());
            builder.environment().remove("PGPORTER_JAVA_OPTS");
            builder.environment().putAll(environment(environment));
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            try {
                assertThat(process.waitFor(150, TimeUnit.SECONDS)).isTrue();
            } finally {
                process.destroy();
            }
            return new Answer(process.exitValue(), Files.readString(output));
        } finally {
            Files.delete(output);
        }
    }

    private record Answer(int code, String text) {}

    private static List<Path> jars(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".jar")).toList();
        }
    }

    /// With its time, which the JVM compares.
    private static void copy(Path file, Path directory) throws IOException {
        CopyOption keepTime = StandardCopyOption.COPY_ATTRIBUTES;
        Files.copy(file, directory.resolve(file.getFileName()), keepTime);
    }

    private static Map<String, FileTime> files() throws IOException {
        Map<String, FileTime> times = new TreeMap<>();
        try (Stream<Path> files = Files.walk(checkout)) {
            for (Path file : files.toList()) {
                times.put(file.toString(), Files.getLastModifiedTime(file));
            }
        }
        return times;
    }
}
