package org.pgporter.config;

import java.time.Duration;

/// What logins by PAM may take; part of section `general`. Modules may be slow or hang for ever, and cannot be
/// interrupted: each service has threads of its own, so that it delays nobody but its own users.
///
/// @param pamTimeout how long a client waits for an answer, in the queue and in the module together
/// @param pamThreads for each service
/// @param pamQueue logins that wait for a thread of one service; who finds no place is refused
public record PamOptions(Duration pamTimeout, int pamThreads, int pamQueue) {
    private static final PamOptions DEFAULTS = new PamOptions(Duration.ofSeconds(20), 4, 100);

    public PamOptions {
        new Checks()
                .positive("pam_timeout", pamTimeout)
                .atLeast("pam_threads", 1, pamThreads)
                .atLeast("pam_queue", 1, pamQueue)
                .throwIfAny();
    }

    public static PamOptions defaults() {
        return DEFAULTS;
    }

    public PamOptions withPamTimeout(Duration changed) {
        return Records.with(this, "pamTimeout", changed);
    }

    public PamOptions withPamThreads(int changed) {
        return Records.with(this, "pamThreads", changed);
    }

    public PamOptions withPamQueue(int changed) {
        return Records.with(this, "pamQueue", changed);
    }
}
