package org.pgporter.node.backend;

import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.message.ParameterStatus;

/// The run-time parameters of one backend: what it reports, and what has been set there of those that it does not
/// report. Mutable and confined to the thread of its backend connection.
final class BackendParameters {
    private final AcceptedValues accepted;
    private ServerParameters defaults;
    private ServerParameters current;
    private final TreeMap<String, String> applied = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private @Nullable WantedParameters alignedTo = WantedParameters.none();
    private Alignment aligning = Alignment.NONE;

    /// @param reported what the backend reported at its login
    BackendParameters(AcceptedValues accepted, ServerParameters reported) {
        this.accepted = accepted;
        this.defaults = reported;
        this.current = reported;
    }

    ServerParameters current() {
        return current;
    }

    boolean isAlignedTo(WantedParameters wanted) {
        WantedParameters now = alignedTo;
        return now != null && wanted.equals(now);
    }

    /// What has to be sent so that the backend has these; [#alignmentEnded] follows unless it is empty.
    Alignment alignTo(WantedParameters wanted) {
        aligning = Alignment.between(current, defaults, applied, wanted, accepted);
        alignedTo = wanted;
        return aligning;
    }

    /// @param values what the server made of each value that was set
    void aligned(List<List<String>> values) {
        aligning.reset().forEach(applied::remove);
        for (int i = 0; i < aligning.set().size(); i++) {
            Alignment.Setting setting = aligning.set().get(i);
            String canonical = i < values.size() ? values.get(i).getFirst() : setting.value();
            String name = setting.name();
            String value = current.get(name).orElse(canonical);
            accepted.accepted(name, setting.value(), value);
            if (!current.reports(name)) {
                applied.put(name, value);
            }
        }
        aligning = Alignment.NONE;
    }

    void alignmentFailed() {
        alignedTo = null;
        aligning = Alignment.NONE;
    }

    boolean isAligning() {
        return !aligning.isEmpty();
    }

    /// The backend reports a change while it does what we have asked.
    void reportedToUs(ParameterStatus parameter) {
        current = current.with(parameter.name(), parameter.value());
    }

    /// The backend reports a change to its client. While nobody uses the backend it is a new default: the server's
    /// configuration has changed.
    void reportedToClient(ParameterStatus parameter, boolean lent) {
        current = current.with(parameter.name(), parameter.value());
        if (lent) {
            alignedTo = null;
        } else {
            defaults = defaults.with(parameter.name(), parameter.value());
        }
    }

    void discarded() {
        applied.clear();
        alignedTo = null;
    }

    /// RESET ALL, which leaves the role and the session authorization alone.
    void allReset() {
        applied.keySet().removeIf(name -> !Alignment.isIdentity(name));
        alignedTo = null;
    }

    /// A reset query of somebody's own: it may have reset anything or nothing.
    void inDoubt() {
        applied.replaceAll((_, _) -> Alignment.UNKNOWN);
        alignedTo = null;
    }

    /// A look has shown what is set.
    void found(Findings findings) {
        alignedTo = null;
        if (findings.asked().everyParameter()) {
            applied.clear();
        } else {
            findings.asked().parameters().forEach(applied::remove);
        }
        findings.parameters().forEach((name, value) -> {
            if (!current.reports(name)) {
                applied.put(name, value);
            }
        });
    }
}
