package org.pgporter.node.sql;

import java.util.ArrayList;
import java.util.List;

/// What the text of one or more statements says about the session that runs them. It is an upper bound where the
/// text can be read (a transaction that is rolled back changes nothing), and knows nothing of what a function
/// does inside.
///
/// @param begins kinds of state that may come to be, as [StateKind#mask()] bits
/// @param ends kinds of which some may be gone afterwards; `begins` contains them not
/// @param everyParameter which parameters change cannot be told from the text
/// @param unnamedParameter a parameter changes whose name is not in the text, perhaps one of an application, which
///     PostgreSQL does not list
/// @param parameters names of parameters that may change for the session
/// @param localParameters names of parameters that change until the end of the transaction
/// @param boundNames numbers of the bound values that name a parameter to be changed for the session
/// @param boundLocalNames numbers of the bound values that name a parameter to be changed for the transaction
/// @param preparesBySql contains SQL-level PREPARE; what that statement does is among the rest
/// @param executesBySql contains SQL-level EXECUTE
/// @param asksSequences calls currval() or lastval()
/// @param discardsAll contains DISCARD ALL
/// @param deallocatesAll contains DEALLOCATE ALL
/// @param deallocations each DEALLOCATE of one name
/// @param ambiguous only true of a text that means something else while `standard_conforming_strings` is off
public record StatementEffects(
        int begins,
        int ends,
        boolean everyParameter,
        boolean unnamedParameter,
        List<String> parameters,
        List<String> localParameters,
        List<Integer> boundNames,
        List<Integer> boundLocalNames,
        boolean preparesBySql,
        boolean executesBySql,
        boolean asksSequences,
        boolean discardsAll,
        boolean deallocatesAll,
        List<Deallocation> deallocations,
        boolean ambiguous) {

    /// A DEALLOCATE in the text.
    ///
    /// @param name what is deallocated, each byte beyond ASCII as one character (ISO 8859-1)
    /// @param from where the name begins, in bytes from the beginning of the text
    /// @param to where it ends, exclusive
    public record Deallocation(String name, int from, int to) {}

    /// A text that leaves the session as it is.
    public static final StatementEffects NONE = new StatementEffects(
            0, 0, false, false, List.of(), List.of(), List.of(), List.of(), false, false, false, false, false,
            List.of(), false);

    /// A text that cannot be seen, or not as a whole.
    public static final StatementEffects ANYTHING = new StatementEffects(
            StateKind.EVERY_KIND,
            0,
            true,
            true,
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            false,
            false,
            false,
            false,
            false,
            List.of(),
            false);

    /// What the two together may do, as far as it is there to stay when a text is prepared now and executed later.
    public StatementEffects and(StatementEffects other) {
        List<String> names = new ArrayList<>(parameters);
        other.parameters.stream().filter(name -> !names.contains(name)).forEach(names::add);
        boolean bound = !boundNames.isEmpty() || !other.boundNames.isEmpty();
        return new StatementEffects(
                (begins | other.begins) & ~StateKind.PREPARED_STATEMENT.mask(),
                ends | other.ends,
                everyParameter || other.everyParameter || bound,
                unnamedParameter || other.unnamedParameter || bound,
                names,
                List.of(),
                List.of(),
                List.of(),
                false,
                false,
                asksSequences || other.asksSequences,
                false,
                false,
                List.of(),
                ambiguous || other.ambiguous);
    }

    /// Whether the session forgets all its prepared statements.
    public boolean forgetsAllStatements() {
        return discardsAll || deallocatesAll;
    }

    /// Whether the session is left as it is.
    public boolean isNone() {
        return this == NONE;
    }

    /// Reads a statement text, or several with semicolons between them.
    ///
    /// @param from where the text begins in `source`
    /// @param to where it ends, exclusive, without its zero
    public static StatementEffects of(byte[] source, int from, int to) {
        return new StatementReader(source, from, to).read();
    }
}
