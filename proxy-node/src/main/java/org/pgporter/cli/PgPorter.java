package org.pgporter.cli;

import java.io.PrintWriter;
import org.pgporter.node.logging.LogConfiguration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The program. Answers go to standard output, log lines and complaints to standard error.
@Command(
        name = "pgporter",
        description = "A clustered PostgreSQL connection pooler and authentication gateway.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        subcommands = {ServeCommand.class, CheckCommand.class, DemoCommand.class, TrainCommand.class},
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {"", "Logs go to standard error. Documentation: README.md"})
public final class PgPorter implements Runnable {
    @Spec
    private CommandSpec spec;

    /// Runs the command and ends the JVM with its exit code.
    public static void main(String[] args) {
        var code = commandLine().execute(args);
        LogConfiguration.close();
        System.exit(code);
    }

    static CommandLine commandLine() {
        return new CommandLine(new PgPorter())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(100)
                .setExecutionExceptionHandler((e, line, _) -> report(e, line.getErr()));
    }

    /// Without a command there is nothing to do.
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command: one of serve, check, demo");
    }

    /// A failure nobody expected: a person needs its message, a developer the rest.
    private static int report(Exception e, PrintWriter err) {
        err.println("pgporter: " + e);
        e.printStackTrace(err);
        err.flush();
        return ExitCodes.FAILED;
    }
}
