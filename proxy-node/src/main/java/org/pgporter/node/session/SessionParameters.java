package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.AcceptedValues;
import org.pgporter.node.backend.Findings;
import org.pgporter.node.backend.ServerParameters;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.protocol.message.ParameterStatus;

/// The run-time parameters of one session: which values it wants wherever it goes, and which it has been told.
final class SessionParameters {
    private final WantedParameters atStartup;
    private WantedParameters wanted;
    /// What a server reported when the client was greeted, one object for many sessions; and what it was told that
    /// differs from it, null while nothing does.
    private ServerParameters greeted = ServerParameters.none();

    private @Nullable Map<String, String> toldElse;
    /// The facts that the client was told last; empty when one of them has changed since.
    private List<ParameterStatus> lastFacts = List.of();

    /// @param startup the parameters of the startup packet, as written
    SessionParameters(WantedParameters startup) {
        this.atStartup = startup;
        this.wanted = startup;
    }

    /// Empty where the session has none.
    String applicationName() {
        return wanted.get("application_name").orElse("");
    }

    WantedParameters wanted() {
        return wanted;
    }

    /// Whether a backend has to be asked what it makes of the values that the client has written: nobody in
    /// this pool has used one of them before. An application name can be anything.
    boolean mustBeConfirmed(ServerParameters reported, AcceptedValues accepted) {
        return wanted.asMap().entrySet().stream()
                .anyMatch(entry -> !AcceptedValues.alwaysAccepted(entry.getKey())
                        && !accepted.knows(entry.getKey(), entry.getValue())
                        && !reported.get(entry.getKey()).equals(java.util.Optional.of(entry.getValue())));
    }

    /// What the client is told at the end of its login: the server's values, with its own in the server's
    /// spelling.
    List<ParameterStatus> greeting(ServerParameters reported, AcceptedValues accepted) {
        greeted = reported;
        List<ParameterStatus> greeting = new ArrayList<>();
        reported.asMap().forEach((name, value) -> {
            String own = wanted.get(name)
                    .map(written -> accepted.canonical(name, written))
                    .orElse(value);
            if (wanted.get(name).isPresent()) {
                wanted = wanted.with(name, own);
            }
            greeting.add(new ParameterStatus(name, own));
            told(name, own);
        });
        lastFacts = reported.facts();
        return greeting;
    }

    /// A backend reported this to the client itself: it has changed it.
    void reported(List<ParameterStatus> changes) {
        for (ParameterStatus change : changes) {
            told(change.name(), change.value());
            if (ServerParameters.settable(change.name())) {
                wanted = wanted.with(change.name(), change.value());
            } else {
                lastFacts = List.of();
            }
        }
    }

    /// A backend took over our values. Writes what the client does not know yet.
    void aligned(List<ParameterStatus> changes, ByteBuf out) {
        for (ParameterStatus change : changes) {
            if (wanted.get(change.name()).isPresent()) {
                wanted = wanted.with(change.name(), change.value());
            }
            tell(change, out);
            if (!ServerParameters.settable(change.name())) {
                lastFacts = List.of();
            }
        }
    }

    /// Whether [#attachedTo] would write nothing.
    boolean hasTold(ServerParameters reported) {
        return reported.facts().equals(lastFacts);
    }

    /// The session is on a backend that reports these. Writes what has changed of the facts that are not the
    /// session's to choose, such as `server_version` after an upgrade or `in_hot_standby` after a failover.
    void attachedTo(ServerParameters reported, ByteBuf out) {
        reported.facts().forEach(fact -> tell(fact, out));
        lastFacts = reported.facts();
    }

    /// A look at the backend has shown what is set there for the session. What the client has reset goes back to
    /// what it wrote in its startup packet.
    void found(Findings findings) {
        if (findings.asked().everyParameter()) {
            wanted = atStartup;
        }
        for (String name : findings.asked().parameters()) {
            wanted = atStartup.get(name).map(value -> wanted.with(name, value)).orElseGet(() -> wanted.without(name));
        }
        findings.parameters().forEach((name, value) -> wanted = wanted.with(name, value));
    }

    /// Whether a backslash in an ordinary string is just that.
    boolean standardConformingStrings() {
        return !"off".equals(told("standard_conforming_strings"));
    }

    /// The client has reset its session (DISCARD ALL): what counts is what it wrote in its startup packet.
    void discarded() {
        wanted = atStartup;
    }

    private void tell(ParameterStatus parameter, ByteBuf out) {
        if (!parameter.value().equals(told(parameter.name()))) {
            told(parameter.name(), parameter.value());
            parameter.encodeTo(out);
        }
    }

    private @Nullable String told(String name) {
        String other = toldElse == null ? null : toldElse.get(name);
        return other == null ? greeted.get(name).orElse(null) : other;
    }

    private void told(String name, String value) {
        if (value.equals(told(name))) {
            return;
        }
        if (toldElse == null) {
            toldElse = new HashMap<>();
        }
        toldElse.put(name, value);
    }
}
