package org.pgporter.integration;

import static org.pgporter.integration.StateRow.passes;
import static org.pgporter.integration.StateRow.travels;

import java.util.List;

/// Rows of [SessionStateMatrixIT] about parameters, the role and the session authorization among them.
final class ParameterRows {
    static final String MEMORY = "show work_mem";
    static final String TENANT = "select coalesce(current_setting('app.tenant', true), '')";
    static final String ISOLATION =
            "show default_transaction_isolation; show transaction_isolation; show default_transaction_read_only;"
                    + " show default_transaction_deferrable";
    private static final String LONG = "x".repeat(1_000);
    private static final String PATH = "select name from place; show search_path; select current_schemas(false)";
    private static final String WHO = "select current_user, session_user";
    private static final String NAME = "show application_name";

    private ParameterRows() {}

    static List<StateRow> parameters() {
        return List.of(
                travels(
                        "SET of a reported parameter",
                        "show datestyle; select date '2026-02-01'",
                        "set datestyle to German"),
                travels("SET SESSION", "show intervalstyle", "set session intervalstyle = iso_8601"),
                travels("SET TIME ZONE", "show timezone", "set time zone 'Asia/Tokyo'"),
                travels(
                        "SET TIME ZONE with a number",
                        "show timezone; select timestamptz 'epoch'",
                        "set time zone -5.5"),
                travels(
                        "SET TIME ZONE with an interval",
                        "show timezone; select timestamptz 'epoch'",
                        "set time zone interval '-08:30' hour to minute"),
                travels("SET NAMES", "show client_encoding", "set names 'latin1'"),
                travels("client_encoding", "show client_encoding; select chr(233)", "set client_encoding = win1252"),
                travels("application_name", NAME, "set application_name to 'One'"),
                travels("extra_float_digits", "select 0.1::float8 + 0.2::float8", "set extra_float_digits = -3"),
                travels("bytea_output", "select '\\x01'::bytea", "set bytea_output = 'escape'"),
                travels("standard_conforming_strings", "select 'a\\\\b'", "set standard_conforming_strings = off"),
                travels("SET of an unreported parameter", MEMORY, "set work_mem = '7MB'"),
                travels("a value without unit", MEMORY, "set work_mem = 7777"),
                travels("statement_timeout", "show statement_timeout", "set statement_timeout = '12345ms'"),
                travels("lock_timeout", "show lock_timeout", "set lock_timeout = 777"),
                travels(
                        "idle_in_transaction_session_timeout",
                        "show idle_in_transaction_session_timeout",
                        "set idle_in_transaction_session_timeout = '1h'"),
                travels("SET XML OPTION", "show xmloption", "set xml option document"),
                travels(
                                "several in one query",
                                MEMORY + "; show lock_timeout",
                                "set work_mem = '7MB'; set lock_timeout = 5")
                        .onlySimple(),
                travels(
                        "SET SESSION CHARACTERISTICS",
                        ISOLATION,
                        "set session characteristics as transaction isolation level serializable, read only, deferrable"),
                travels(
                        "default_transaction_isolation",
                        ISOLATION,
                        "set default_transaction_isolation to 'repeatable read'"),
                travels("default_transaction_read_only", ISOLATION, "set default_transaction_read_only = on"),
                travels("set_config for the session", MEMORY, "select set_config('work_mem', '7MB', false)"),
                travels(
                        "set_config with its schema, in quotes",
                        MEMORY,
                        "select \"pg_catalog\" . \"set_config\" ('work_mem', '7MB', false)"),
                travels("set_config in a COPY", MEMORY, "copy (select set_config('work_mem', '7MB', false)) to stdout"),
                travels(
                        "set_config in EXPLAIN ANALYZE",
                        MEMORY,
                        "explain (analyze, costs off, timing off, summary off) select set_config('work_mem', '7MB', false)"),
                passes("set_config for the transaction", MEMORY, "select set_config('work_mem', '7MB', true)"),
                travels("set_config with bound values", TENANT)
                        .bound("select set_config('app.tenant', $1, false)", "it's \\ \"mine\""),
                travels("set_config with everything bound", MEMORY + "; " + TENANT)
                        .bound("select set_config($1, $2, $3)", "work_mem", "7MB", "false")
                        .bound("select set_config($1, $2, $3)", "app.tenant", "x", "true"),
                passes("set_config for the transaction, bound", TENANT)
                        .bound("select set_config($1, $2, $3)", "app.tenant", "x", "true"),
                travels(
                        "UPDATE pg_settings",
                        MEMORY,
                        "update pg_settings set setting = '7168' where name = 'work_mem'"),
                travels("a parameter of nobody's", TENANT, "set app.tenant = 'x'"),
                travels(
                        "a parameter of nobody's with several dots",
                        "select coalesce(current_setting('a.b.c', true), '')",
                        "set a.b.c to 'x'"),
                travels(
                        "a parameter of nobody's in quotes",
                        "select coalesce(current_setting('app.Tenant', true), '')",
                        "set \"App\".\"Tenant\" to 'X'"));
    }

    static List<StateRow> values() {
        return List.of(
                travels("a long value", TENANT, "set app.tenant = '" + LONG + "'"),
                travels(
                        "a long search_path",
                        PATH,
                        "set search_path to other, " + ("s" + "y".repeat(60) + ", ").repeat(9) + "public"),
                travels("case of a value", NAME, "set application_name = 'ONE One one'"),
                travels("blanks around a value", NAME, "set application_name = '  one  '"),
                passes("an empty value", NAME, "set application_name = 'x'", "set application_name = ''")
                        .startingWith("application_name", "mine"),
                travels("a value with quotes", TENANT, "set app.tenant = 'it''s \"mine\"'"),
                travels("a value with backslashes", TENANT, "set app.tenant = E'a\\\\b\\'c\\nd'"),
                travels("a value with SQL in it", TENANT, "set app.tenant = '''; drop table public.place; --'"),
                travels("a value with another alphabet", TENANT, "set app.tenant = 'grüße, 世界'"),
                travels("a value in dollar quotes", TENANT, "set app.tenant = $q$a 'b' \\ \"c\"; $q$"),
                travels("search_path", PATH, "set search_path to other, public"),
                travels(
                        "search_path with odd names",
                        PATH,
                        "set search_path to \"odd, \"\"name\"\"; --\", \"$user\", other"),
                travels(
                        "search_path as one string",
                        PATH,
                        "select set_config('search_path', $$\"odd, \"\"name\"\"; --\", public$$, false)"),
                travels(
                        "search_path that is one odd name",
                        "show search_path; select current_schemas(false)",
                        "set search_path to 'other, public'"),
                travels(
                        "search_path that is empty",
                        "show search_path; select current_schemas(false)",
                        "set search_path to ''"),
                travels("SET SCHEMA", PATH, "set schema 'other'"),
                travels("DateStyle in two steps", "show datestyle", "set datestyle to sql", "set datestyle to dmy"),
                travels(
                        "standard_conforming_strings and a value with a backslash",
                        "show standard_conforming_strings; " + TENANT,
                        "set standard_conforming_strings = off",
                        "set app.tenant = 'a\\\\b\\'c'"),
                travels(
                        "an encoding and a value",
                                "show client_encoding; select length(coalesce(current_setting('app.tenant', true), ''))",
                        "set client_encoding = 'sjis'", "set app.tenant = 'abc'"));
    }

    static List<StateRow> identity() {
        return List.of(
                travels("SET ROLE", WHO, "set role matrix_role"),
                travels("SET ROLE of an odd name", WHO, "set role \"matrix \"\"Röle\"\"\""),
                travels("SET SESSION ROLE as a parameter", WHO, "set session role = matrix_role"),
                travels("set_config of role", WHO, "select set_config('role', 'matrix_role', false)"),
                passes("SET LOCAL ROLE", WHO, "begin", "set local role matrix_role", "commit"),
                passes("SET ROLE NONE", WHO, "set role matrix_role", "set role none"),
                passes("RESET ROLE", WHO, "set role matrix_role", "reset role"),
                passes(
                        "SET ROLE in a transaction that fails",
                        WHO,
                        "begin",
                        "set role matrix_role",
                        "select 1/0",
                        "commit"),
                travels(
                                "SET SESSION AUTHORIZATION",
                                WHO + "; show is_superuser; show session_authorization",
                                "set session authorization matrix_user")
                        .asSuperuser(),
                passes(
                                "RESET SESSION AUTHORIZATION",
                                WHO,
                                "set session authorization matrix_user",
                                "reset session authorization")
                        .asSuperuser(),
                travels(
                                "SET SESSION AUTHORIZATION and SET ROLE",
                                WHO,
                                "set session authorization matrix_user",
                                "set role matrix_role")
                        .asSuperuser(),
                travels(
                                "a superuser's parameter, then another user",
                                WHO + "; show log_statement",
                                "set log_statement = 'mod'",
                                "set session authorization matrix_user")
                        .asSuperuser(),
                travels(
                                "a superuser's parameter, then another role",
                                WHO + "; show log_min_duration_statement",
                                "set log_min_duration_statement = 54321",
                                "set role matrix_role")
                        .asSuperuser(),
                travels(
                                "session_replication_role",
                                "show session_replication_role",
                                "set session_replication_role = replica")
                        .asSuperuser());
    }

    static List<StateRow> resets() {
        return List.of(
                passes("SET and RESET", MEMORY, "set work_mem = '7MB'", "reset work_mem"),
                passes("SET TO DEFAULT", MEMORY, "set work_mem = '7MB'", "set work_mem to default"),
                passes("RESET of a reported parameter", "show datestyle", "set datestyle to German", "reset datestyle"),
                passes("SET TIME ZONE LOCAL", "show timezone", "set time zone 'Asia/Tokyo'", "set time zone local"),
                passes(
                        "RESET ALL",
                        MEMORY + "; show datestyle; " + TENANT,
                        "set work_mem = '7MB'",
                        "set datestyle to German",
                        "set app.tenant = 'x'",
                        "reset all"),
                travels(
                        "RESET ALL spares the role",
                        WHO + "; " + MEMORY,
                        "set role matrix_role",
                        "set work_mem = '7MB'",
                        "reset all"),
                passes(
                        "DISCARD ALL",
                        WHO + "; " + MEMORY + "; show datestyle; " + ObjectRows.TEMPORARY + "; " + ObjectRows.CHANNELS
                                + "; " + ObjectRows.LOCKS,
                        "set role matrix_role",
                        "set work_mem = '7MB'",
                        "set datestyle to German",
                        "create temp table t (i int)",
                        "listen channel",
                        "select pg_advisory_lock(1)",
                        "discard all"),
                travels(
                                "the default of the startup packet",
                                "show timezone",
                                "set timezone to 'Europe/Paris'",
                                "reset timezone")
                        .startingWith("TimeZone", "Asia/Tokyo"),
                travels("the default of the options", MEMORY, "set work_mem = '7MB'", "set work_mem to default")
                        .startingWith("options", "-c work_mem=6MB"),
                travels(
                                "the default after RESET ALL",
                                MEMORY + "; show timezone; " + NAME,
                                "set work_mem = '7MB'",
                                "set timezone to 'Europe/Paris'",
                                "set application_name to 'x'",
                                "reset all")
                        .startingWith(
                                "options", "-c work_mem=6MB", "TimeZone", "Asia/Tokyo", "application_name", "Mine"),
                travels(
                                "the default after DISCARD ALL",
                                MEMORY + "; show timezone; " + NAME,
                                "set work_mem = '7MB'",
                                "set timezone to 'Europe/Paris'",
                                "set application_name to 'x'",
                                "discard all")
                        .startingWith(
                                "options", "-c work_mem=6MB", "TimeZone", "Asia/Tokyo", "application_name", "Mine"),
                travels("the role of the options after RESET ROLE", WHO, "set role none", "reset role")
                        .startingWith("options", "-c role=matrix_role"),
                travels(
                                "the role of the options after RESET ALL",
                                WHO + "; " + MEMORY,
                                "set work_mem = '7MB'",
                                "reset all")
                        .startingWith("options", "-c role=matrix_role -c work_mem=6MB"),
                travels(
                                "the role of the options after DISCARD ALL",
                                WHO + "; " + MEMORY,
                                "set role none",
                                "discard all")
                        .startingWith("options", "-c role=matrix_role -c work_mem=6MB"),
                travels(
                                "SET over the startup packet",
                                MEMORY + "; show timezone",
                                "set work_mem = '7MB'",
                                "set timezone to 'Europe/Paris'")
                        .startingWith("options", "-c work_mem=6MB", "TimeZone", "Asia/Tokyo"),
                travels(
                                "SET to the server's default over the startup packet",
                                MEMORY + "; show lock_timeout",
                                "set work_mem = '4MB'",
                                "set lock_timeout = 5")
                        .startingWith("options", "-c work_mem=6MB"));
    }
}
