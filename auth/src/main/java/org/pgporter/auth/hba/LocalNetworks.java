package org.pgporter.auth.hba;

import java.util.List;
import java.util.concurrent.CompletionStage;

/// The addresses of this machine with their networks, for `samehost` and `samenet`.
@FunctionalInterface
public interface LocalNetworks {
    /// As they are now. The stage fails when it could not be found out. Never blocks.
    CompletionStage<List<AddressRange>> all();
}
