package org.pgporter.cluster.jwks;

import java.util.concurrent.CompletionStage;
import org.pgporter.auth.jwt.KeySet;

/// Where the keys of one issuer come from. A node asks the issuer itself; a fleet will ask once for all
/// its nodes. How often somebody asks is his who asks.
@FunctionalInterface
public interface KeySetSource {
    /// Fetches the keys that hold now. Never blocks. Fails when the issuer does not answer in time, or
    /// with something else; the message says why and quotes nothing of the answer.
    CompletionStage<KeySet> fetch();
}
