package org.pgporter.node.admin;

import org.pgporter.config.ProxyConfig;
import org.pgporter.config.Settings;

/// SHOW CONFIG.
final class ConfigTable {
    /// The one key that SET changes.
    private static final String CHANGEABLE = "log_level";

    private ConfigTable() {}

    static Table of(ProxyConfig config) {
        Table.Rows rows = Table.of(Show.CONFIG.columns());
        for (Settings.Setting setting : Settings.of(config)) {
            rows.row(
                    setting.key(),
                    setting.value(),
                    setting.standard(),
                    setting.key().equals(CHANGEABLE) ? "yes" : "no",
                    setting.isDefault() ? "default" : "file");
        }
        // Exporters read these two by PgBouncer's names.
        int clients = config.general().limits().maxConnections();
        rows.row("max_client_conn", clients, "8192", "no", "max_connections");
        rows.row("max_user_connections", 0, "0", "no", "no such limit");
        return rows.table();
    }
}
