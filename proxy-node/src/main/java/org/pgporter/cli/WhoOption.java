package org.pgporter.cli;

import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.pgporter.auth.hba.RuleProblems;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.hba.AccessRules;
import org.pgporter.node.hba.ConfiguredRoles;
import org.pgporter.node.login.LoginExplanation;
import org.pgporter.node.login.LoginRequest;
import org.pgporter.node.tls.TlsSession;
import org.pgporter.protocol.message.ErrorResponse;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/// The options of `check` that describe a client, and the answer to what would happen to it.
final class WhoOption {
    private static final String LOCAL = "local";

    @Option(
            names = "--who",
            required = true,
            paramLabel = "USER@DATABASE",
            description = "Says which rule decides about this client, and which method would run.")
    private String who = "";

    @Option(
            names = "--from",
            required = true,
            paramLabel = "ADDRESS",
            description = "The client's IP address, or local: a Unix socket.")
    private String from = "";

    @Option(names = "--tls", description = "The client's connection is encrypted.")
    private boolean tls;

    @Option(names = "--replication", description = "The client wants physical replication.")
    private boolean replication;

    /// @return the exit code
    int explain(ProxyConfig config, CommandLine line) {
        LoginRequest request = request(line);
        PrintWriter out = line.getOut();
        try (AccessRules rules = AccessRules.quietly(config, new ConfiguredRoles(config))) {
            LoginExplanation explanation = LoginExplanation.of(config, rules::policy, request)
                    .toCompletableFuture()
                    .join();
            out.println("rule:    "
                    + explanation
                            .rule()
                            .map(rule -> rule.where() + ": " + rule.text())
                            .orElse("none"));
            explanation.method().ifPresent(method -> out.println("method:  " + method));
            explanation.refusal().ifPresent(error -> out.println("refused: " + words(error)));
            explanation.reasons().forEach(reason -> out.println("because: " + reason));
            out.flush();
            return explanation.refusal().isPresent() ? ExitCodes.REFUSED : ExitCodes.OK;
        } catch (RuleProblems problems) {
            problems.problems().forEach(out::println);
            out.flush();
            return ExitCodes.FAILED;
        }
    }

    private static String words(ErrorResponse error) {
        return "FATAL " + error.sqlState().code() + " " + error.message();
    }

    private LoginRequest request(CommandLine line) {
        int at = who.lastIndexOf('@');
        String user = at < 0 ? who : who.substring(0, at);
        String database = at < 0 ? who : who.substring(at + 1);
        if (user.isEmpty() || database.isEmpty()) {
            throw new CommandLine.ParameterException(line, "--who: write USER@DATABASE");
        }
        SocketAddress remote = remote(line);
        if (tls && from.equals(LOCAL)) {
            throw new CommandLine.ParameterException(line, "--tls: there is no TLS on Unix sockets");
        }
        return new LoginRequest(
                user,
                database,
                replication,
                remote,
                tls
                        ? Optional.of(new TlsSession(
                                "TLSv1.3", "", Optional.empty(), Optional.empty(), List.of(), Optional.empty()))
                        : Optional.empty(),
                OptionalInt.empty());
    }

    private SocketAddress remote(CommandLine line) {
        if (from.equals(LOCAL)) {
            return UnixDomainSocketAddress.of("");
        }
        try {
            return new InetSocketAddress(InetAddress.ofLiteral(from), 0);
        } catch (IllegalArgumentException _) {
            throw new CommandLine.ParameterException(line, "--from: must be an IP address or local, was " + from);
        }
    }
}
