package org.pgporter.node.tls;

import java.security.cert.CertPathValidatorException;
import java.util.Locale;

/// What went wrong in a handshake, in one line.
final class Reasons {
    private static final int MOST_CAUSES = 8;

    private Reasons() {}

    /// The innermost cause that has words: libraries wrap it several times.
    static String of(Throwable failure) {
        String reason = failure.getClass().getSimpleName();
        Throwable at = failure;
        for (int i = 0; i < MOST_CAUSES && at != null; i++) {
            if (at.getMessage() != null && !at.getMessage().isBlank()) {
                reason = at.getMessage();
            }
            if (at instanceof CertPathValidatorException invalid) {
                return "certificate: "
                        + invalid.getReason()
                                .toString()
                                .toLowerCase(Locale.ROOT)
                                .replace('_', ' ') + ": " + reason;
            }
            at = at.getCause();
        }
        return reason.lines().findFirst().orElse(reason);
    }
}
