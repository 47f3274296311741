package org.pgporter.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `check`: reads the configuration as `serve` does and says what is wrong with it. Problems are the
/// answer, so they go to standard output.
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Says what is wrong with a configuration file.",
            "With --who and --from: what would happen to a client, as in --who alice@shop --from 10.1.2.3 --tls."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The file is good.",
            "1:It has problems; all of them have been printed.",
            "2:The command line is wrong.",
            "4:The client of --who does not come in."
        })
final class CheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ConfigOption option = new ConfigOption();

    @ArgGroup(exclusive = false)
    private @Nullable WhoOption who;

    @Override
    public Integer call() {
        var line = spec.commandLine();
        var config = option.load(line.getOut(), line.getErr());
        var asked = who;
        if (config.isPresent() && asked != null) {
            return asked.explain(config.get(), line);
        }
        config.ifPresent(_ -> line.getOut().println(option.file() + ": no problems"));
        return config.isPresent() ? ExitCodes.OK : ExitCodes.FAILED;
    }
}
