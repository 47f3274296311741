package org.pgporter.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.pgporter.config.LogFormat;
import org.pgporter.config.LogLevel;
import org.pgporter.node.logging.LogConfiguration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `train`: for the launcher only. Starts a node with the JVM command it is given, takes the demo's tour through it
/// and loads it for a while, and ends it, so that the JVM writes its AOT cache.
@Command(name = "train", hidden = true, description = "Makes the AOT cache; called by the launcher.")
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--cache", required = true, paramLabel = "FILE", description = "The cache to write.")
    private Path cache = Path.of("");

    @Parameters(paramLabel = "WORD", description = "The command that starts the program, up to its main class.")
    private List<String> program = List.of();

    @Override
    public Integer call() throws Exception {
        LogConfiguration.apply(LogFormat.TEXT, LogLevel.ERROR);
        var err = spec.commandLine().getErr();
        try {
            new Training(program, cache).run();
            return ExitCodes.OK;
        } catch (DemoFailure e) {
            err.println("pgporter: no AOT cache was made: " + e.getMessage());
        } catch (NoClassDefFoundError e) {
            err.println("pgporter: no AOT cache was made: the demo's libraries are not on the class path");
        }
        return ExitCodes.FAILED;
    }
}
