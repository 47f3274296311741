package org.pgporter.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.pgporter.node.NodeStartFailure;
import org.pgporter.node.ProxyNode;
import org.pgporter.node.logging.LogConfiguration;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `serve`: one node, until SIGTERM or SIGINT.
@Command(
        name = PgPorter.SERVE,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Runs a node.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Stopped by SIGTERM or SIGINT. The first lets transactions finish, the second ends them.",
            "1:The configuration has problems, or the node could not start or end.",
            "2:The command line is wrong."
        })
final class ServeCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(ServeCommand.class);

    @Spec
    private CommandSpec spec;

    @Mixin
    private ConfigOption option = new ConfigOption();

    @Option(
            names = "--beside",
            hidden = true,
            paramLabel = "FILE",
            description = "The configuration of a second node in this process; for the launcher's training only.")
    private Optional<Path> beside = Optional.empty();

    @Override
    public Integer call() {
        var err = spec.commandLine().getErr();
        var config = option.load(err, err);
        if (config.isEmpty()) {
            return ExitCodes.FAILED;
        }
        var log = config.get().general().log();
        LogConfiguration.apply(log.logFormat(), log.logLevel());
        var stop = StopSignal.listen();
        try {
            var node = ProxyNode.start(config.get());
            Signals.onHangup(() -> {
                LOG.atInfo()
                        .addKeyValue(LogKeys.REASON, "the configuration itself is read only at start")
                        .log("reading certificates, rules for logins and keys for tokens again, and forgetting what"
                                + " auth_query has found");
                node.tls().reload();
                node.accessRules().reload();
                node.tokens().reload();
                node.authQuery().forgetAll();
            });
            Signals.onPause(() -> {
                LOG.atInfo().addKeyValue(LogKeys.SIGNAL, "USR1").log("pausing all databases");
                node.console().pauseAll();
            });
            Signals.onResume(() -> {
                LOG.atInfo().addKeyValue(LogKeys.SIGNAL, "USR2").log("resuming all databases");
                node.console().resumeAll();
            });
            LOG.atInfo()
                    .addKeyValue(LogKeys.VERSION, Version.text())
                    .addKeyValue(LogKeys.FILE, option.file())
                    .addKeyValue(LogKeys.LISTENER, node.addresses())
                    .addKeyValue(LogKeys.IO, node.io())
                    .log("node accepts clients");
            var second = beside();
            CompletableFuture.anyOf(stop.requested(), node.closed().toCompletableFuture())
                    .join();
            stop.end(node);
            second.ifPresent(stop::end);
            LOG.atInfo().log("node stopped");
            return ExitCodes.OK;
        } catch (NodeStartFailure e) {
            LOG.atError().addKeyValue(LogKeys.REASON, e.getMessage()).log("node did not start");
            return ExitCodes.FAILED;
        }
    }

    private Optional<ProxyNode> beside() {
        return beside.flatMap(file -> {
            var err = spec.commandLine().getErr();
            return ConfigOption.load(file, err, err).map(ProxyNode::start);
        });
    }
}
