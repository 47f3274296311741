package org.pgporter.integration;

import static org.pgporter.integration.ParameterRows.ISOLATION;
import static org.pgporter.integration.ParameterRows.MEMORY;
import static org.pgporter.integration.ParameterRows.TENANT;
import static org.pgporter.integration.StateRow.passes;
import static org.pgporter.integration.StateRow.travels;

import java.util.List;

/// Rows of [SessionStateMatrixIT] about parameters that change in transactions and in code.
final class TransactionRows {
    private TransactionRows() {}

    static List<StateRow> transactions() {
        return List.of(
                passes("SET LOCAL", MEMORY, "begin", "set local work_mem = '7MB'", "commit"),
                passes("SET LOCAL outside of a transaction", MEMORY, "set local work_mem = '7MB'"),
                passes(
                        "SET LOCAL of a reported parameter",
                        "show datestyle",
                        "begin",
                        "set local datestyle to German",
                        "commit"),
                travels(
                        "SET and SET LOCAL",
                        MEMORY,
                        "begin",
                        "set work_mem = '7MB'",
                        "set local work_mem = '8MB'",
                        "commit"),
                travels(
                        "SET LOCAL and SET",
                        MEMORY,
                        "begin",
                        "set local work_mem = '8MB'",
                        "set work_mem = '7MB'",
                        "commit"),
                travels(
                        "SET before a transaction with SET LOCAL",
                        MEMORY,
                        "set work_mem = '7MB'",
                        "begin",
                        "set local work_mem = '8MB'",
                        "commit"),
                travels("SET in a transaction", MEMORY, "begin", "set work_mem = '7MB'", "commit"),
                passes("SET rolled back", MEMORY, "begin", "set work_mem = '7MB'", "rollback"),
                passes(
                        "SET of a reported parameter rolled back",
                        "show datestyle",
                        "begin",
                        "set datestyle to German",
                        "rollback"),
                passes(
                        "SET in a transaction that failed",
                        MEMORY,
                        "begin",
                        "set work_mem = '7MB'",
                        "select 1/0",
                        "commit"),
                passes("SET in a query that failed", MEMORY, "set work_mem = '7MB'; select 1/0")
                        .onlySimple(),
                travels(
                                "SET in the part of a query that was committed",
                                MEMORY,
                                "set work_mem = '7MB'; commit; select 1/0")
                        .onlySimple(),
                passes(
                        "set_config rolled back",
                        TENANT,
                        "begin",
                        "select set_config('app.tenant', 'x', false)",
                        "rollback"),
                passes(
                        "SET rolled back to a savepoint",
                        MEMORY,
                        "begin",
                        "savepoint s",
                        "set work_mem = '7MB'",
                        "rollback to s",
                        "commit"),
                travels(
                        "SET before and in a savepoint rolled back",
                        MEMORY + "; show lock_timeout",
                        "begin",
                        "set lock_timeout = 5",
                        "savepoint s",
                        "set work_mem = '7MB'",
                        "set lock_timeout = 6",
                        "rollback to s",
                        "commit"),
                travels(
                        "SET in a savepoint released",
                        MEMORY,
                        "begin",
                        "savepoint s",
                        "set work_mem = '7MB'",
                        "release s",
                        "commit"),
                travels(
                        "SET in a savepoint after an error",
                        MEMORY,
                        "begin",
                        "savepoint s",
                        "select 1/0",
                        "rollback to s",
                        "set work_mem = '7MB'",
                        "commit"),
                travels("COMMIT AND CHAIN", MEMORY, "begin", "set work_mem = '7MB'", "commit and chain", "rollback"),
                passes("ROLLBACK AND CHAIN", MEMORY, "begin", "set work_mem = '7MB'", "rollback and chain", "commit"),
                passes("SET of a wrong value", MEMORY, "set work_mem = 'lots'"),
                passes(
                        "SET TRANSACTION",
                        ISOLATION,
                        "begin",
                        "set transaction isolation level serializable, read only",
                        "commit"),
                passes("BEGIN with modes", ISOLATION, "begin isolation level serializable read only", "commit"),
                passes(
                        "SET TRANSACTION and a DO block",
                        ISOLATION,
                        "begin isolation level serializable, read only",
                        "do $$ begin end $$",
                        "commit"),
                passes(
                        "the isolation level as a parameter",
                        ISOLATION,
                        "begin",
                        "set transaction_isolation = 'serializable'",
                        "set transaction_read_only = on",
                        "commit"),
                passes("SET SEED", MEMORY, "set seed to 0.5"),
                passes("SET CONSTRAINTS", MEMORY, "begin", "set constraints all deferred", "commit"));
    }

    static List<StateRow> functions() {
        return List.of(
                travels("SET in a DO block", MEMORY, "do $$ begin set work_mem = '7MB'; end $$"),
                travels(
                        "set_config in a DO block",
                        TENANT,
                        "do $$ begin perform set_config('app.tenant', 'x', false); end $$"),
                passes("SET LOCAL in a DO block", MEMORY, "do $$ begin set local work_mem = '7MB'; end $$"),
                travels("SET in a procedure that commits", MEMORY, "call sets_and_commits()"),
                passes("a function with a parameter of its own", MEMORY, "select with_parameter()"));
    }
}
