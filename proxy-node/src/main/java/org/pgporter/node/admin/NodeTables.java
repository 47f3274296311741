package org.pgporter.node.admin;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.hba.HbaRules;
import org.pgporter.node.authquery.AuthQuery;
import org.pgporter.node.hba.AccessRules;
import org.pgporter.node.logging.LogConfiguration;
import org.pgporter.node.session.PinBoard;
import org.pgporter.node.tls.NodeTls;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;

/// What SHOW says of the node as a whole, without asking anybody.
final class NodeTables {
    private static final int KIBIBYTE = 1024;

    private NodeTables() {}

    static Table version() {
        return Table.of(Show.VERSION.columns())
                .row("PgPorter " + Greeting.VERSION)
                .table();
    }

    /// A notice, as PgBouncer's; psql shows it as it is.
    static NoticeResponse help() {
        String shows = Arrays.stream(Show.values())
                .map(show -> "\n\tSHOW " + show.name() + " -- " + show.about())
                .collect(Collectors.joining());
        return NoticeResponse.of(Severity.NOTICE, SqlState.SUCCESSFUL_COMPLETION, "Console usage")
                .withDetail(shows
                        + "\n\tSET log_level = 'LEVEL' | 'PACKAGE=LEVEL' | 'PACKAGE=default'"
                        + "\n\tRELOAD"
                        + "\n\tPAUSE [<db>]"
                        + "\n\tRESUME [<db>]"
                        + "\n\tDISABLE <db>"
                        + "\n\tENABLE <db>"
                        + "\n\tRECONNECT [<db>]"
                        + "\n\tKILL [<db>]"
                        + "\n\tKILL_CLIENT <client_id>"
                        + "\n\tWAIT_CLOSE [<db>]"
                        + "\n\tINVALIDATE AUTH [<db> [<user>]]"
                        + "\n\tSHUTDOWN"
                        + "\n\tSHUTDOWN WAIT_FOR_SERVERS"
                        + "\n\tSHUTDOWN WAIT_FOR_CLIENTS");
    }

    /// In KiB, so that the columns, which PgBouncer made for smaller numbers, can hold them; `memtotal` is bytes.
    static Table memory() {
        Table.Rows rows = Table.of(Show.MEM.columns());
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        memory(rows, "heap", heap.getUsed(), heap.getCommitted());
        MemoryUsage other = ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage();
        memory(rows, "non_heap", other.getUsed(), other.getCommitted());
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            memory(
                    rows,
                    "buffers_" + pool.getName().replaceAll("[^a-z]+", "_"),
                    pool.getMemoryUsed(),
                    pool.getTotalCapacity());
        }
        return rows.table();
    }

    private static void memory(Table.Rows rows, String name, long used, long total) {
        long unused = Math.max(0, total - used);
        rows.row(name, KIBIBYTE, used / KIBIBYTE, unused / KIBIBYTE, Math.max(total, used));
    }

    static Table pins(PinBoard board) {
        Table.Rows rows = Table.of(Show.PINS.columns());
        board.current().forEach(pin -> rows.row(pin.session(), Units.word(pin.reason()), pin.since()));
        return rows.table();
    }

    static Table certificates(NodeTls tls) {
        Table.Rows rows = Table.of(Show.CERTIFICATES.columns());
        tls.certificates()
                .forEach(certificate -> rows.row(
                        certificate.leg(),
                        certificate.subject(),
                        certificate.issuer(),
                        certificate.notAfter(),
                        Duration.between(Instant.now(), certificate.notAfter()).toDays(),
                        certificate.loaded(),
                        certificate.file()));
        return rows.table();
    }

    static Table rules(AccessRules rules) {
        Table.Rows rows = Table.of(Show.HBA.columns());
        int number = 0;
        for (HbaRules.Counted counted : rules.counts()) {
            HbaRule rule = counted.rule();
            number++;
            rows.row(number, rule.source(), rule.line(), rule.method().word(), rule.text(), counted.matches());
        }
        return rows.table();
    }

    static Table authQuery(AuthQuery lookups) {
        Table.Rows rows = Table.of(Show.AUTH_QUERY.columns());
        lookups.statistics()
                .forEach(database -> rows.row(
                        database.database(),
                        database.cacheEntries(),
                        database.cacheHits(),
                        database.cacheMisses(),
                        database.cacheRefetches(),
                        database.rateLimited(),
                        database.authSuccess(),
                        database.authFailure(),
                        database.executorQueries(),
                        database.executorErrors(),
                        database.dynamicPoolsCurrent(),
                        database.dynamicPoolsCreated(),
                        database.dynamicPoolsDestroyed(),
                        database.startupParametersDropped()));
        return rows.table();
    }

    static Table logLevels() {
        Table.Rows rows = Table.of(Show.LOG_LEVEL.columns());
        LogConfiguration.levels().forEach((name, level) -> rows.row(level, name));
        return rows.table();
    }
}
