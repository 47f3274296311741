package org.pgporter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The shell part: what happens before there is a Java.
class LauncherTest {
    private static final Path LAUNCHER =
            Path.of("..", "pgporter").toAbsolutePath().normalize();

    @TempDir
    private Path directory = Path.of("");

    @Test
    void shouldSayWhatToDoWhenTheNamedJavaIsNone() throws Exception {
        var answer = run(LAUNCHER, "PGPORTER_JAVA_HOME", "/nowhere");

        assertThat(answer.code()).isEqualTo(3);
        assertThat(answer.text())
                .isEqualTo("pgporter: PGPORTER_JAVA_HOME is /nowhere, but PgPorter needs a Java 25 or newer there.\n");
    }

    @Test
    void shouldSayThatTheNamedJavaIsTooOld() throws Exception {
        var home = Files.createDirectories(directory.resolve("old java"));
        Files.createDirectories(home.resolve("bin"));
        var java = Files.createFile(home.resolve("bin/java"));
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.15\"\n");

        var answer = run(LAUNCHER, "PGPORTER_JAVA_HOME", home.toString());

        assertThat(answer.code()).isEqualTo(3);
        assertThat(answer.text()).contains("but that is Java 17, and PgPorter needs a Java 25");
    }

    @Test
    void shouldFindItsCheckoutThroughLinksAndPassEverythingOn() throws Exception {
        // Given: a Java that only says how it was called
        var home = Files.createDirectories(directory.resolve("new java"));
        Files.createDirectories(home.resolve("bin"));
        var java = home.resolve("bin/java");
        Files.writeString(java, "#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"25\"\n");
        var link = Files.createSymbolicLink(directory.resolve("a link"), LAUNCHER);

        // When
        var answer = run(link, "PGPORTER_JAVA_HOME", home.toString(), "PGPORTER_JAVA_OPTS", "-Xmx1g -XX:+UseZGC");

        // Then
        assertThat(answer.code()).isZero();
        assertThat(answer.text())
                .contains("<-Dio.netty.leakDetection.level=disabled><-Xmx1g><-XX:+UseZGC><-cp>")
                .contains(LAUNCHER.getParent() + "/proxy-node/target/lib/")
                .doesNotContain("demo-lib", "UseG1GC", "AOTCache")
                .endsWith("<org.pgporter.cli.PgPorter><check><--config><a file>");
    }

    private static Answer run(Path launcher, String... environment) throws Exception {
        var builder = new ProcessBuilder(launcher.toString(), "check", "--config", "a file").redirectErrorStream(true);
        builder.environment().putAll(Map.of("PGPORTER_SKIP_BUILD", "1"));
        for (int i = 0; i < environment.length; i += 2) {
            builder.environment().put(environment[i], environment[i + 1]);
        }
        var process = builder.start();
        process.getOutputStream().close();
        var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), text);
    }

    private record Answer(int code, String text) {}
}
