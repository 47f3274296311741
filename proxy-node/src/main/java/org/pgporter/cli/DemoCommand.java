package org.pgporter.cli;

import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pgporter.config.IoTransport;
import org.pgporter.config.LogLevel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `demo`: a PostgreSQL of its own with a node in front, to try things out. Loads [Demo] only when it runs.
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Starts a PostgreSQL and a node in front of it, prints how to connect, and stays until Ctrl-C.",
        footer = {"", "Everything lives in a temporary directory that is removed at the end."})
final class DemoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--once", description = "Take a tour through the node instead of staying; exit 0 if all was well.")
    private boolean once;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "-1",
            showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER,
            description = "Port of the node. Default: " + DemoNode.USUAL_PORT
                    + ", or a free one if that is taken; 0: a free one.")
    private int port;

    @Option(
            names = "--io",
            paramLabel = "KIND",
            defaultValue = "auto",
            completionCandidates = IoKinds.class,
            description =
                    "How event loops talk to the operating system: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private IoTransport io = IoTransport.AUTO;

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            defaultValue = "warn",
            description =
                    "What the node logs to standard error: error, warn, info, debug, trace. Default: ${DEFAULT-VALUE}.")
    private LogLevel logLevel = LogLevel.WARN;

    @Override
    public Integer call() throws Exception {
        if (port < -1 || port > 65_535) {
            throw new ParameterException(spec.commandLine(), "--port must be between 0 and 65535, was " + port);
        }
        try {
            return new Demo(
                            port == -1 ? OptionalInt.empty() : OptionalInt.of(port),
                            io,
                            logLevel,
                            System.out,
                            System.err)
                    .run(once);
        } catch (NoClassDefFoundError e) {
            spec.commandLine()
                    .getErr()
                    .println("pgporter: the demo's libraries are not on the class path; start it with ./pgporter demo ("
                            + e.getMessage() + ")");
            return ExitCodes.FAILED;
        }
    }

    /// The names as the configuration file spells them.
    static final class IoKinds implements Iterable<String> {
        @Override
        public java.util.Iterator<String> iterator() {
            return Stream.of(IoTransport.values())
                    .map(kind -> kind.name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.toList())
                    .iterator();
        }
    }
}
