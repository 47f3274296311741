package org.pgporter.node.admin;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.ServerView;
import org.pgporter.node.session.ClientView;
import org.pgporter.node.session.ClientView.Activity;

/// SHOW CLIENTS, SERVERS and SOCKETS: one row for each connection.
final class SocketTables {
    /// Columns of SHOW SOCKETS about PgBouncer's own buffers, of which there are none here.
    private static final int BUFFER_COLUMNS = 7;

    private final Snapshot snapshot;
    private final ClientIds ids;
    private final Duration usedAfter;
    /// By the id of their session.
    private final Map<String, Snapshot.Server> heldBy = new HashMap<>();

    /// @param usedAfter so long a connection must be idle to count as used, which means: it is looked at before its
    /// next
    /// use
    SocketTables(Snapshot snapshot, ClientIds ids, Duration usedAfter) {
        this.snapshot = snapshot;
        this.ids = ids;
        this.usedAfter = usedAfter;
        snapshot.servers().forEach(server -> server.view().holder().ifPresent(holder -> heldBy.put(holder, server)));
    }

    Table clients() {
        Table.Rows rows = Table.of(Show.CLIENTS.columns());
        for (ClientView client : snapshot.clients()) {
            Optional<String> state = clientState(client.activity());
            state.ifPresent(shown -> rows.row(clientRow(client, shown).toArray()));
        }
        return rows.table();
    }

    Table servers() {
        Table.Rows rows = Table.of(Show.SERVERS.columns());
        for (Snapshot.Server server : snapshot.servers()) {
            rows.row(serverRow(server, serverState(server.view())).toArray());
        }
        return rows.table();
    }

    /// @param onlyActive those that neither rest nor log in
    Table sockets(boolean onlyActive) {
        Table.Rows rows = Table.of(onlyActive ? Show.ACTIVE_SOCKETS.columns() : Show.SOCKETS.columns());
        for (ClientView client : snapshot.clients()) {
            String state = "cl_" + clientState(client.activity()).orElse("login");
            if (!onlyActive || client.activity() == Activity.ACTIVE || client.activity() == Activity.WAITING) {
                rows.row(withBuffers(clientRow(client, state)));
            }
        }
        for (Snapshot.Server server : snapshot.servers()) {
            String state = serverState(server.view());
            if (!onlyActive || state.equals("active")) {
                rows.row(withBuffers(serverRow(server, state.equals("new") ? "sv_login" : "sv_" + state)));
            }
        }
        return rows.table();
    }

    private static @Nullable Object[] withBuffers(List<@Nullable Object> row) {
        row.addAll(Collections.nCopies(BUFFER_COLUMNS, 0));
        return row.toArray();
    }

    /// Empty for those who are still logging in, and for those who have left.
    private static Optional<String> clientState(Activity activity) {
        return switch (activity) {
            case IDLE -> Optional.of("idle");
            case ACTIVE, CONSOLE -> Optional.of("active");
            case WAITING -> Optional.of("waiting");
            case CANCEL -> Optional.of("active_cancel_req");
            case LOGIN, LEAVING -> Optional.empty();
        };
    }

    String serverState(ServerView server) {
        return switch (server.activity()) {
            case NEW -> "new";
            case ACTIVE -> "active";
            case CLEANING -> "tested";
            case BEING_CANCELED -> "being_canceled";
            case IDLE -> server.idle().compareTo(usedAfter) >= 0 ? "used" : "idle";
            case CLOSING -> "closing";
        };
    }

    private List<@Nullable Object> clientRow(ClientView client, String state) {
        Optional<Snapshot.Server> held = Optional.ofNullable(heldBy.get(client.session()));
        List<@Nullable Object> row = new ArrayList<>();
        row.add("C");
        row.add(client.user());
        row.add(client.database());
        row.add(replication(client.replication()));
        row.add(state);
        row.add(Units.address(Optional.of(client.remote())));
        row.add(Units.port(Optional.of(client.remote())));
        row.add(Units.address(Optional.of(client.local())));
        row.add(Units.port(Optional.of(client.local())));
        row.add(client.connected());
        row.add(client.requested().orElse(client.connected()));
        row.add(Units.seconds(client.waiting()));
        row.add(Units.restMicros(client.waiting()));
        row.add(0);
        row.add(client.session());
        row.add(held.map(Snapshot.Server::name).orElse(""));
        row.add(0);
        row.add(Units.tls(client.tls()));
        row.add(client.applicationName());
        row.add(client.preparedStatements());
        row.add(ids.of(client.session()));
        return row;
    }

    private static String replication(String asked) {
        return asked.isEmpty() ? "none" : asked.equals("database") ? "logical" : "physical";
    }

    private List<@Nullable Object> serverRow(Snapshot.Server server, String state) {
        ServerView view = server.view();
        List<@Nullable Object> row = new ArrayList<>();
        row.add("S");
        row.add(server.pool().user());
        row.add(server.pool().database());
        row.add("none");
        row.add(state);
        row.add(Units.address(view.remote()));
        row.add(Units.port(view.remote()));
        row.add(Units.address(view.local()));
        row.add(Units.port(view.local()));
        row.add(view.connected());
        row.add(view.lent().orElse(view.connected()));
        row.add(0);
        row.add(0);
        row.add(view.closeNeeded());
        row.add(server.name());
        row.add(view.holder().orElse(""));
        row.add(view.backendPid());
        row.add(Units.tls(view.tls()));
        row.add(view.applicationName());
        row.add(view.preparedStatements());
        row.add(ids.ofServer(server.name()));
        return row;
    }
}
