package org.pgporter.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `check`: reads the configuration as `serve` does and says what is wrong with it. Problems are the answer, so
/// they go to standard output.
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Says what is wrong with a configuration file.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The file is good.",
            "1:It has problems; all of them have been printed.",
            "2:The command line is wrong."
        })
final class CheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ConfigOption option = new ConfigOption();

    @Override
    public Integer call() {
        var line = spec.commandLine();
        var config = option.load(line.getOut(), line.getErr());
        config.ifPresent(_ -> line.getOut().println(option.file() + ": no problems"));
        return config.isPresent() ? ExitCodes.OK : ExitCodes.FAILED;
    }
}
