package org.pgporter.integration;

import static org.pgporter.integration.StateRow.passes;
import static org.pgporter.integration.StateRow.pins;

import java.util.List;

/// Rows of [SessionStateMatrixIT] about what a backend keeps for its session and cannot be taken elsewhere.
final class ObjectRows {
    static final String LOCKS = "select classid, objid, objsubid, mode from pg_locks"
            + " where locktype = 'advisory' and pid = pg_backend_pid() order by 1, 2, 3, 4";
    static final String CHANNELS = "select * from pg_listening_channels() order by 1";
    static final String TEMPORARY = "select relname, relkind from pg_class where relnamespace = pg_my_temp_schema()"
            + " union all select proname, 'f' from pg_proc where pronamespace = pg_my_temp_schema() order by 1";
    private static final String STATEMENTS =
            "select name from pg_prepared_statements where from_sql order by 1; execute mine(4)";
    private static final String CURSORS = "select name from pg_cursors where is_holdable order by 1; fetch 2 from kept";

    private ObjectRows() {}

    static List<StateRow> temporaryObjects() {
        return List.of(
                pins(
                                "CREATE TEMP TABLE",
                                TEMPORARY + "; select * from mine",
                                "create temp table mine (i int)",
                                "insert into mine values (1)")
                        .until("drop table mine"),
                pins("CREATE TEMPORARY TABLE AS", TEMPORARY, "create temporary table mine as select 1 as i")
                        .until("drop table pg_temp.mine"),
                pins("CREATE LOCAL TEMP TABLE", TEMPORARY, "create local temp table mine (i int) on commit delete rows")
                        .until("drop table mine"),
                pins(
                                "CREATE TEMP TABLE in a transaction",
                                TEMPORARY,
                                "begin",
                                "create temp table mine (i int)",
                                "commit")
                        .until("begin", "drop table mine", "commit"),
                pins("SELECT INTO TEMP", TEMPORARY, "select 1 as i into temp mine")
                        .until("drop table mine"),
                pins("a table in pg_temp", TEMPORARY, "create table pg_temp.mine (i int)")
                        .until("drop table mine"),
                pins(
                                "a table in \"pg_temp\"",
                                TEMPORARY,
                                "create unlogged table \"pg_temp\".mine (i int)",
                                "create table \"pg_temp\" . mine (i int)")
                        .until("drop table mine"),
                pins("a temporary view", TEMPORARY, "create or replace temp view mine as select 1 as i")
                        .until("drop view mine"),
                pins(
                                "a temporary recursive view",
                                TEMPORARY,
                                "create temporary recursive view mine (i) as select 1 union all select i from mine where i > 1")
                        .until("drop view mine"),
                pins("a temporary sequence", TEMPORARY, "create temp sequence mine")
                        .until("drop sequence mine"),
                pins(
                                "a function in pg_temp",
                                TEMPORARY,
                                "create function pg_temp.mine() returns int language sql as 'select 1'")
                        .until("drop function pg_temp.mine()"),
                pins(
                                "two tables, one dropped",
                                TEMPORARY,
                                "create temp table mine (i int)",
                                "create temp table second (i int)",
                                "drop table second")
                        .until("drop table mine"),
                passes(
                        "CREATE TEMP TABLE ON COMMIT DROP",
                        TEMPORARY,
                        "begin",
                        "create temp table mine (i int) on commit drop",
                        "insert into mine values (1)",
                        "commit"),
                passes(
                        "CREATE TEMP TABLE rolled back",
                        TEMPORARY,
                        "begin",
                        "create temp table mine (i int)",
                        "rollback"),
                passes("CREATE TEMP TABLE that fails", TEMPORARY, "create temp table mine (i no_such_type)"),
                passes("CREATE TEMP TABLE and DROP", TEMPORARY, "create temp table mine (i int)", "drop table mine"),
                passes("DISCARD TEMP", TEMPORARY, "create temp table mine (i int)", "discard temp"));
    }

    static List<StateRow> locks() {
        return List.of(
                pins("pg_advisory_lock", LOCKS, "select pg_advisory_lock(4711)")
                        .until("select pg_advisory_unlock(4711)"),
                pins("pg_advisory_lock of two keys", LOCKS, "select pg_advisory_lock(47, 11)")
                        .until("select pg_advisory_unlock(47, 11)"),
                pins("pg_advisory_lock_shared", LOCKS, "select pg_advisory_lock_shared(4712)")
                        .until("select pg_advisory_unlock_shared(4712)"),
                pins("pg_try_advisory_lock", LOCKS, "select pg_try_advisory_lock(4713)")
                        .until("select pg_advisory_unlock_all()"),
                pins("pg_try_advisory_lock_shared", LOCKS, "select pg_try_advisory_lock_shared(4714)")
                        .until("select pg_advisory_unlock_all()"),
                pins("pg_advisory_lock bound", LOCKS)
                        .bound("select pg_catalog.pg_advisory_lock($1)", "4715")
                        .until("select pg_advisory_unlock(4715)"),
                pins(
                                "pg_advisory_lock in a transaction rolled back",
                                LOCKS,
                                "begin",
                                "select pg_advisory_lock(4716)",
                                "rollback")
                        .until("select pg_advisory_unlock(4716)"),
                pins(
                                "pg_advisory_lock twice, unlocked once",
                                LOCKS,
                                "select pg_advisory_lock(4717)",
                                "select pg_advisory_lock(4717)",
                                "select pg_advisory_unlock(4717)")
                        .until("select pg_advisory_unlock(4717)"),
                passes(
                        "pg_advisory_lock and unlock",
                        LOCKS,
                        "select pg_advisory_lock(4718)",
                        "select pg_advisory_unlock(4718)"),
                passes("pg_advisory_xact_lock", LOCKS, "select pg_advisory_xact_lock(4719)"),
                passes(
                        "pg_advisory_xact_lock in a transaction",
                        LOCKS,
                        "begin",
                        "select pg_advisory_xact_lock(4720)",
                        "commit"),
                passes(
                        "pg_try_advisory_xact_lock",
                        LOCKS,
                        "begin",
                        "select pg_try_advisory_xact_lock_shared(4721)",
                        "rollback"));
    }

    static List<StateRow> otherReasons() {
        return List.of(
                pins("LISTEN", CHANNELS, "listen news").until("unlisten news"),
                pins(
                                "LISTEN on two, UNLISTEN of one",
                                CHANNELS,
                                "listen news",
                                "listen \"Weather; --\"",
                                "unlisten news")
                        .until("unlisten *"),
                pins("LISTEN in a transaction", CHANNELS, "begin", "listen news", "commit")
                        .until("unlisten *"),
                passes("LISTEN rolled back", CHANNELS, "begin", "listen news", "rollback"),
                passes("LISTEN and UNLISTEN", CHANNELS, "listen news", "unlisten *"),
                pins("PREPARE", STATEMENTS, "prepare mine(int) as select $1 + 1")
                        .until("deallocate mine"),
                pins("PREPARE rolled back", STATEMENTS, "begin", "prepare mine(int) as select $1 + 1", "rollback")
                        .until("deallocate prepare mine"),
                pins(
                                "PREPARE of two, DEALLOCATE of one",
                                STATEMENTS,
                                "prepare mine(int) as select $1 + 1",
                                "prepare second as select 2",
                                "deallocate second")
                        .until("deallocate all"),
                passes("PREPARE and DEALLOCATE", STATEMENTS, "prepare mine(int) as select $1 + 1", "deallocate mine"),
                passes("PREPARE that fails", STATEMENTS, "prepare mine(int) as select no_such_column"),
                pins("a cursor WITH HOLD", CURSORS, "declare kept cursor with hold for select generate_series(1, 9)")
                        .until("close kept"),
                pins(
                                "a cursor WITH HOLD in a transaction",
                                CURSORS,
                                "begin",
                                "declare kept scroll cursor with hold for select generate_series(1, 9)",
                                "commit")
                        .until("close all"),
                passes(
                        "a cursor WITH HOLD rolled back",
                        CURSORS,
                        "begin",
                        "declare kept cursor with hold for select 1",
                        "rollback"),
                passes(
                        "a cursor without hold",
                        CURSORS,
                        "begin",
                        "declare kept cursor for select 1",
                        "fetch kept",
                        "commit"),
                pins("LOAD", "select current_setting('auto_explain.log_format', true)", "load 'auto_explain'")
                        .asSuperuser(),
                passes(
                        "an open large object",
                        "select loread(0, 1)",
                        "begin",
                        "select lo_open(lo_creat(-1), 393216)",
                        "commit"));
    }
}
