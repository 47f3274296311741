package org.pgporter.node.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.node.sql.StateKind.EVERY_KIND;
import static org.pgporter.node.sql.StateKind.PARAMETER;
import static org.pgporter.node.sql.StateKind.PREPARED_STATEMENT;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.node.sql.StatementEffects.Deallocation;

class StatementEffectsTest {

    private static StatementEffects read(String text) {
        byte[] source = ("..." + text + "...").getBytes(StandardCharsets.UTF_8);
        return StatementEffects.of(source, 3, source.length - 3);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ";;",
                "SELECT 1",
                "select abalance from pgbench_accounts where aid = 17",
                "INSERT INTO t (set, reset) VALUES ('SET x = 1', $$LISTEN a$$)",
                "UPDATE t SET set_config = 1, listen = 2",
                "SELECT temperature, attempt FROM template",
                "SELECT set_config FROM t",
                "BEGIN; COMMIT; ROLLBACK; SAVEPOINT a; RELEASE a",
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "SET CONSTRAINTS ALL DEFERRED",
                "PREPARE TRANSACTION 'x'",
                "-- SET x = 1\nSELECT 1 /* ; LISTEN a /* nested */ ; SET y = 2 */",
                "SELECT ';SET x = 1', \";LISTEN\", E'\\';SET y = 1'",
                "SELECT $tag$ ; SET x = 1 $$ ; $tag$, $1",
                "DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1",
                "SELECT pg_advisory_xact_lock(1)",
                "SHOW search_path",
                "SELECT 'a\\b'",
                "SELECT 'unfinished",
                "SELECT $unfinished$ SET",
                "SELECT /* unfinished"
            })
    void leavesTheSessionAsItIs(String text) {
        assertThat(read(text)).isSameAs(StatementEffects.NONE);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            SET work_mem = '1MB'                                | work_mem
            set  Work_Mem to some_size                          | work_mem
            SET SESSION work_mem = 1                            | work_mem
            SET app.tenant = 'x'                                | app.tenant
            SET "App"."Tenant" TO 'x'                           | App.Tenant
            SET TIME ZONE 'UTC'                                 | timezone
            SET NAMES 'utf8'                                    | client_encoding
            SET SCHEMA 'a'                                      | search_path
            SET XML OPTION DOCUMENT                             | xmloption
            SET ROLE bob                                        | role
            SET role TO bob                                     | role
            SELECT set_config('a.b', 'c', false)                | a.b
            SELECT pg_catalog . set_config ('A.b','c',false)    | a.b
            SELECT "set_config"('a.b'::text, f(1, 2), $1)       | a.b
            SELECT set_config('a.b', 'c', not true)             | a.b
            SELECT set_config('a.b', 'c', true and false)       | a.b
            WITH x AS (SELECT set_config('a', '1', f)) SELECT 1 | a
            /* hint */ SELECT 1; SET x = 2; SELECT 3            | x
            """)
    void namesTheParameterThatChanges(String text, String parameter) {
        StatementEffects effects = read(text);
        assertThat(effects.parameters()).containsExactly(parameter);
        assertThat(effects.begins()).isEqualTo(PARAMETER.mask());
        assertThat(effects.everyParameter()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            SET LOCAL work_mem = '1MB'                          | work_mem
            SET LOCAL ROLE bob                                  | role
            SELECT set_config('a.b', 'c', true)                 | a.b
            SELECT set_config('a.b', $1, 'true')                | a.b
            SELECT set_config('a.b', 'c', true::boolean)        | a.b
            """)
    void knowsWhatEndsWithTheTransaction(String text, String parameter) {
        StatementEffects effects = read(text);
        assertThat(effects.localParameters()).containsExactly(parameter);
        assertThat(effects.begins()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "RESET ALL",
                "RESET work_mem",
                "RESET SESSION AUTHORIZATION",
                "SET work_mem TO DEFAULT",
                "SET TIME ZONE LOCAL",
                "SELECT set_config(name, 'x', false) FROM t",
                "SELECT set_config('a' || 'b', 'x', false)",
                "UPDATE pg_catalog.pg_settings SET setting = 'x'"
            })
    void cannotTellWhichParameters(String text) {
        StatementEffects effects = read(text);
        assertThat(effects.everyParameter()).isTrue();
        assertThat(effects.begins()).isEqualTo(PARAMETER.mask());
    }

    @Test
    void numbersTheBoundValuesThatNameParameters() {
        StatementEffects effects =
                read("SELECT set_config($3, $1, false), set_config($2::text, set_config($4, '', true), false)");
        assertThat(effects.boundNames()).containsExactly(3, 2);
        assertThat(effects.boundLocalNames()).containsExactly(4);
        assertThat(effects.everyParameter()).isFalse();
    }

    @Test
    void setSessionAuthorizationAlsoChangesTheRole() {
        assertThat(read("SET SESSION AUTHORIZATION bob").parameters()).containsExactly("session_authorization", "role");
        assertThat(read("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").parameters())
                .contains("default_transaction_read_only");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            LISTEN a                                            | LISTEN
            PREPARE s (int) AS SELECT $1                        | PREPARED_STATEMENT
            CREATE TEMP TABLE t (a int)                         | TEMPORARY_OBJECT
            create or replace local temporary view v as select 1 | TEMPORARY_OBJECT
            CREATE TABLE pg_temp.t (a int)                      | TEMPORARY_OBJECT
            SELECT 1 INTO TEMPORARY t                           | TEMPORARY_OBJECT
            SELECT 1 INTO LOCAL TEMP TABLE t                    | TEMPORARY_OBJECT
            EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1     | TEMPORARY_OBJECT
            DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT 1      | HELD_CURSOR
            SELECT pg_advisory_lock(1)                          | ADVISORY_LOCK
            SELECT pg_try_advisory_lock_shared(1, 2)            | ADVISORY_LOCK
            LOAD 'auto_explain'                                 | LIBRARY
            """)
    void seesWhatBegins(String text, StateKind kind) {
        assertThat(StateKind.of(read(text).begins())).containsExactly(kind);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            UNLISTEN *                                          | LISTEN
            DEALLOCATE ALL                                      | PREPARED_STATEMENT
            DEALLOCATE PREPARE s                                | PREPARED_STATEMENT
            DROP TABLE t                                        | TEMPORARY_OBJECT
            DISCARD TEMP                                        | TEMPORARY_OBJECT
            CLOSE c                                             | HELD_CURSOR
            SELECT pg_advisory_unlock_all()                     | ADVISORY_LOCK
            """)
    void seesWhatMayEnd(String text, StateKind kind) {
        assertThat(StateKind.of(read(text).ends())).containsExactly(kind);
        assertThat(read(text).begins()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"DO $$ BEGIN PERFORM 1; END $$", "CALL p()"})
    void expectsAnythingOfCode(String text) {
        assertThat(read(text).begins()).isEqualTo(EVERY_KIND);
        assertThat(read(text).everyParameter()).isTrue();
        assertThat(read(text).unnamedParameter()).isTrue();
    }

    @Test
    void findsEachNameThatIsDeallocated() {
        String text = "DEALLOCATE One; deallocate prepare \"T\"\"wo\"";
        assertThat(read(text).deallocations())
                .containsExactly(new Deallocation("one", 11, 14), new Deallocation("T\"wo", 35, 42));
        assertThat(read("DISCARD ALL").discardsAll()).isTrue();
        assertThat(read("deallocate all").deallocatesAll()).isTrue();
    }

    @Test
    void remembersThatSqlPreparesAndExecutes() {
        StatementEffects prepare = read("PREPARE s AS SELECT set_config('a', 'b', false)");
        assertThat(prepare.preparesBySql()).isTrue();
        assertThat(prepare.begins()).isEqualTo(PREPARED_STATEMENT.mask() | PARAMETER.mask());
        assertThat(read("EXECUTE s").executesBySql()).isTrue();
        assertThat(read("EXPLAIN ANALYZE EXECUTE s").executesBySql()).isTrue();
    }

    @Test
    void seesThatSequencesAreAsked() {
        assertThat(read("SELECT currval('s')").asksSequences()).isTrue();
        assertThat(read("SELECT lastval()").asksSequences()).isTrue();
        assertThat(read("SELECT nextval('s')")).isSameAs(StatementEffects.NONE);
    }

    @Test
    void admitsWhatDependsOnStandardConformingStrings() {
        assertThat(read("SELECT 'a\\'; SET x = 1; --'").ambiguous()).isTrue();
        assertThat(read("SELECT 'a\\\\'").ambiguous()).isTrue();
        assertThat(read("SELECT E'a\\'; SET x = 1; --'")).isSameAs(StatementEffects.NONE);
    }

    /// Whatever it is given, it comes to an end and reads nothing beyond the text.
    @Test
    void readsAnyBytes() {
        Random random = new Random(20261126);
        String[] pieces = {
            "set_config(",
            "SET ",
            "'",
            "\"",
            "$$",
            "$a$",
            "/*",
            "*/",
            "--",
            "(",
            ")",
            ",",
            ";",
            "\\",
            "E'",
            "u&\"",
            "$1",
            "DEALLOCATE ",
            "x",
            ".",
            "::",
            "true",
            "\n",
            "INTO TEMP ",
            "\u00e9",
            "RESET ",
            "LOCAL "
        };
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(12); n > 0; n--) {
                text.append(pieces[random.nextInt(pieces.length)]);
            }
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            StatementEffects effects = StatementEffects.of(bytes, 0, bytes.length);
            for (Deallocation deallocation : effects.deallocations()) {
                assertThat(deallocation.to()).isLessThanOrEqualTo(bytes.length);
            }
        }
    }
}
