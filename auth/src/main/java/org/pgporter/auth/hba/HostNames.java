package org.pgporter.auth.hba;

import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/// The names of clients, for rules that name a host.
@FunctionalInterface
public interface HostNames {
    /// The name that the address leads to, if the name leads back to the address; empty when there is none,
    /// or one that somebody else has written there. The stage fails when it could not be found out.
    ///
    /// Never blocks.
    CompletionStage<Optional<String>> confirmedNameOf(InetAddress client);
}
