package org.pgporter.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.pgporter.bench.Setup.Pool;
import org.pgporter.bench.Work.Bulk;
import org.pgporter.bench.Work.Load;
import org.pgporter.bench.Work.Protocol;
import org.pgporter.bench.Work.Script;

/// Every work there is, under its key, and the groups in which works are asked for.
///
/// @param groups in the order in which they are measured
record Catalogue(Map<String, List<Work>> groups) {
    static final List<Integer> CLIENTS = List.of(1, 20, 100, 500, 2_000, 10_000);
    static final String EVERYTHING = "all";
    static final String TARGETS = "targets";
    static final String QUICK = "quick";

    private static final int USUAL = 20;
    private static final int SATURATING = 200;

    /// @param clients how many clients the groups `clients` and `tpcb` have, one work each
    static Catalogue of(List<Integer> clients) {
        var groups = new LinkedHashMap<String, List<Work>>();
        for (var protocol : Protocol.values()) {
            groups.put(protocol.option(), List.of(select(Setup.PLAIN, protocol, USUAL)));
        }
        groups.put("one", List.of(select(Setup.PLAIN, Protocol.SIMPLE, 1), select(Setup.PLAIN, Protocol.PREPARED, 1)));
        groups.put("saturation", List.of(saturation(Protocol.SIMPLE), saturation(Protocol.PREPARED)));
        groups.put("clients", matrix(Script.SELECT, clients));
        groups.put("tpcb", matrix(Script.TPCB, clients));
        groups.put(
                "pipeline",
                List.of(
                        load("pipeline-extended", Setup.PLAIN, Script.PIPELINE, Protocol.EXTENDED, USUAL),
                        load("pipeline-prepared", Setup.PLAIN, Script.PIPELINE, Protocol.PREPARED, USUAL)));
        groups.put(
                "login",
                List.of(
                        login("login-scram", Setup.PLAIN, Pool.LOGIN),
                        login("login-md5", Setup.MD5, Setup.MD5.pools().getFirst()),
                        login("login-scram-tls", Setup.TLS, Pool.LOGIN)));
        groups.put(
                "copy",
                List.of(
                        new Bulk("copy-out", Setup.PLAIN, Bulk.Kind.COPY_OUT),
                        new Bulk("copy-in", Setup.PLAIN, Bulk.Kind.COPY_IN),
                        new Bulk("large-row", Setup.PLAIN, Bulk.Kind.LARGE_ROW)));
        groups.put("start", List.of(new Work.Start("first-answer")));
        groups.put(
                "allocation",
                List.of(
                        new Work.Allocation("allocation-simple", select(Setup.PLAIN, Protocol.SIMPLE, USUAL)),
                        new Work.Allocation("allocation-prepared", select(Setup.PLAIN, Protocol.PREPARED, USUAL))));
        groups.put("idle", List.of(new Work.Idle("idle-plain", Setup.PLAIN), new Work.Idle("idle-tls", Setup.TLS)));
        groups.put(
                "tls", List.of(select(Setup.TLS, Protocol.SIMPLE, USUAL), select(Setup.TLS, Protocol.PREPARED, USUAL)));
        groups.put(
                "tls-both",
                List.of(
                        select(Setup.TLS_BOTH, Protocol.SIMPLE, USUAL),
                        select(Setup.TLS_BOTH, Protocol.PREPARED, USUAL)));
        groups.put("tls-copy", List.of(new Bulk("copy-out-tls", Setup.TLS, Bulk.Kind.COPY_OUT)));
        groups.put(
                "pools",
                List.of(select(Setup.POOLS, Protocol.SIMPLE, USUAL), select(Setup.POOLS, Protocol.PREPARED, USUAL)));
        groups.put(
                QUICK,
                List.of(select(Setup.PLAIN, Protocol.SIMPLE, USUAL), select(Setup.PLAIN, Protocol.PREPARED, USUAL)));
        groups.put(
                TARGETS,
                Target.all().stream().<Work>flatMap(it -> it.works().stream()).toList());
        return new Catalogue(groups);
    }

    /// The works that are asked for, each once, those of one setup together.
    ///
    /// @param names keys of works and names of groups
    /// @throws BenchFailure for a name that nothing has
    List<Work> select(List<String> names) {
        var chosen = new LinkedHashSet<Work>();
        for (var name : names) {
            chosen.addAll(named(name));
        }
        return chosen.stream()
                .collect(Collectors.groupingBy(Work::setup, LinkedHashMap::new, Collectors.toList()))
                .values()
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    Set<String> names() {
        return groups.keySet();
    }

    private List<Work> named(String name) {
        if (name.equals(EVERYTHING)) {
            return groups.values().stream().flatMap(List::stream).toList();
        }
        var group = groups.get(name);
        if (group != null) {
            return group;
        }
        return groups.values().stream()
                .flatMap(List::stream)
                .filter(work -> work.key().equals(name))
                .findFirst()
                .map(List::of)
                .orElseThrow(() -> new BenchFailure("there is no work " + name + "; there are the groups "
                        + String.join(", ", groups.keySet()) + ", " + EVERYTHING + ", and the works "
                        + named(EVERYTHING).stream().map(Work::key).distinct().collect(Collectors.joining(", "))));
    }

    /// Selects, whatever their number of clients.
    static Load select(Setup setup, Protocol protocol, int clients) {
        var suffix = setup == Setup.PLAIN ? "" : "-" + setup.key();
        return load("select-" + protocol.option() + "-" + clients + suffix, setup, Script.SELECT, protocol, clients);
    }

    /// 200 clients over 10 backends: nine of ten wait.
    static Load saturation(Protocol protocol) {
        return new Load(
                "saturation-" + protocol.option(), Setup.PLAIN, Script.SELECT, protocol, SATURATING, Pool.TEN, false);
    }

    static Load login(String key, Setup setup, Pool pool) {
        return new Load(key, setup, Script.SELECT, Protocol.SIMPLE, USUAL, pool, true);
    }

    private static Load load(String key, Setup setup, Script script, Protocol protocol, int clients) {
        var pool = setup == Setup.POOLS ? setup.pools().getFirst() : Pool.FORTY;
        return new Load(key, setup, script, protocol, clients, pool, false);
    }

    private static List<Work> matrix(Script script, List<Integer> clients) {
        var works = new ArrayList<Work>();
        for (var number : clients) {
            for (var protocol : Protocol.values()) {
                works.add(
                        script == Script.SELECT
                                ? select(Setup.PLAIN, protocol, number)
                                : load(
                                        "tpcb-" + protocol.option() + "-" + number,
                                        Setup.PLAIN,
                                        script,
                                        protocol,
                                        number));
            }
        }
        return works;
    }
}
