package org.pgporter.cli;

import java.io.PrintWriter;
import java.util.Arrays;
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
        subcommands = {
            ServeCommand.class,
            CheckCommand.class,
            SecretsCommand.class,
            DemoCommand.class,
            TrainCommand.class
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {"", "Logs go to standard error. Documentation: README.md"})
public final class PgPorter implements Runnable {
    static final String SERVE = "serve";

    @Spec
    private CommandSpec spec;

    /// Runs the command and ends the JVM with its exit code.
    public static void main(String[] args) {
        var code = execute(args);
        LogConfiguration.close();
        System.exit(code);
    }

    /// A node that starts knows its command; to read the annotations of the others would take longer than the rest of
    /// the command line.
    private static int execute(String... args) {
        return args.length > 0 && args[0].equals(SERVE)
                ? serveAlone().execute(Arrays.copyOfRange(args, 1, args.length))
                : commandLine().execute(args);
    }

    static CommandLine commandLine() {
        return configured(new CommandLine(new PgPorter()));
    }

    /// What `serve` is among the other commands, without these.
    static CommandLine serveAlone() {
        return configured(new CommandLine(new ServeCommand()).setCommandName("pgporter " + SERVE));
    }

    private static CommandLine configured(CommandLine line) {
        return line.setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(100)
                .setExecutionExceptionHandler((e, failed, _) -> report(e, failed.getErr()));
    }

    /// Without a command there is nothing to do.
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command: one of serve, check, secrets, demo");
    }

    /// A failure nobody expected: a person needs its message, a developer the rest.
    private static int report(Exception e, PrintWriter err) {
        err.println("pgporter: " + e);
        e.printStackTrace(err);
        err.flush();
        return ExitCodes.FAILED;
    }
}
