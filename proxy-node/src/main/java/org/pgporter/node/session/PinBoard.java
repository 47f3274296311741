package org.pgporter.node.session;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.pgporter.node.sql.StateKind;

/// Which sessions of this node keep their backend connections between transactions, and why; and how often that
/// has happened. Safe to use from every thread.
public final class PinBoard {
    private final List<LongAdder> counts =
            Stream.generate(LongAdder::new).limit(StateKind.values().length).toList();
    private final Map<String, Map<StateKind, Instant>> current = new ConcurrentHashMap<>();

    /// One reason of one session.
    ///
    /// @param session the session's id, as in the log
    public record Pin(String session, StateKind reason, Instant since) {}

    void count(StateKind kind) {
        counts.get(kind.ordinal()).increment();
    }

    void show(String session, Map<StateKind, Instant> since) {
        if (since.isEmpty()) {
            current.remove(session);
        } else {
            current.put(session, since);
        }
    }

    /// The session has ended, whatever it had.
    void forget(String session) {
        current.remove(session);
    }

    /// Those that hold now.
    public List<Pin> current() {
        List<Pin> pins = new ArrayList<>();
        current.forEach(
                (session, reasons) -> reasons.forEach((reason, since) -> pins.add(new Pin(session, reason, since))));
        return pins;
    }

    /// How many times each reason has pinned a session since the node started.
    public Map<StateKind, Long> counts() {
        Map<StateKind, Long> sums = new EnumMap<>(StateKind.class);
        for (StateKind kind : StateKind.values()) {
            sums.put(kind, counts.get(kind.ordinal()).sum());
        }
        return sums;
    }
}
