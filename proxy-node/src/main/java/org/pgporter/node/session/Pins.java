package org.pgporter.node.session;

import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.sql.StateKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What binds one session to its backend, and since when: told to the node's [PinBoard] and, once for each reason,
/// to the log.
final class Pins {
    private static final Logger LOG = LoggerFactory.getLogger(Pins.class);

    private final ClientSession session;
    private final Map<StateKind, Instant> since = new EnumMap<>(StateKind.class);
    private final Set<StateKind> logged = EnumSet.noneOf(StateKind.class);
    private int current;

    Pins(ClientSession session) {
        this.session = session;
    }

    /// @param masks the kinds of state that bind the session now, as [StateKind#mask()] bits
    void are(int masks) {
        if (masks == current) {
            return;
        }
        int before = current;
        current = masks;
        since.keySet().retainAll(StateKind.of(masks));
        for (StateKind kind : StateKind.of(masks & ~before)) {
            since.put(kind, Instant.now());
            session.services().pins().count(kind);
            if (logged.add(kind)) {
                LOG.atInfo()
                        .addKeyValue(LogKeys.SESSION, session.sessionId())
                        .addKeyValue(LogKeys.USER, session.user())
                        .addKeyValue(LogKeys.DATABASE, session.database())
                        .addKeyValue(LogKeys.REASON, kind.text())
                        .log("session keeps its backend connection");
            }
        }
        session.services().pins().show(session.sessionId(), Map.copyOf(since));
    }
}
