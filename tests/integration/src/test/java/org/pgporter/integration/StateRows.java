package org.pgporter.integration;

import java.util.List;
import java.util.stream.Stream;

/// The rows of [SessionStateMatrixIT].
final class StateRows {
    /// What the rows need in their database.
    static final String[] PREPARATIONS = {
        "create schema other",
        "create schema \"odd, \"\"name\"\"; --\"",
        "create table public.place as select 'public' as name",
        "create table other.place as select 'other' as name",
        "create table \"odd, \"\"name\"\"; --\".place as select 'odd' as name",
        "grant usage on schema other, \"odd, \"\"name\"\"; --\" to public",
        "grant select on all tables in schema public, other, \"odd, \"\"name\"\"; --\" to public",
        "grant create on schema public to public",
        "create function public.with_parameter() returns text language sql set work_mem = '9MB'"
                + " return current_setting('work_mem')",
        "create procedure public.sets_and_commits() language plpgsql as $$ begin"
                + " set work_mem = '7MB'; commit; set work_mem = '8MB'; rollback; end $$",
    };

    private StateRows() {}

    static List<StateRow> all() {
        return Stream.of(
                        ParameterRows.parameters(),
                        ParameterRows.values(),
                        ParameterRows.identity(),
                        ParameterRows.resets(),
                        TransactionRows.transactions(),
                        TransactionRows.functions(),
                        ObjectRows.temporaryObjects(),
                        ObjectRows.locks(),
                        ObjectRows.otherReasons())
                .flatMap(List::stream)
                .toList();
    }
}
