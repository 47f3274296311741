package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.pgporter.config.StateCheck;
import org.pgporter.node.backend.BackendConnection.Left;
import org.pgporter.node.backend.Findings;
import org.pgporter.node.backend.Inspection;
import org.pgporter.node.backend.PlanContext;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.sql.StateKind;
import org.pgporter.node.sql.StatementEffects;

/// Watches what a session does to the backend that it uses: whether the backend has to be asked before another
/// session may have it, and what keeps the session on it.
///
/// ```
/// statements pass ── they may have changed the session ──► due() ── Inspection ──► found()
///                                                                                   │
///        goes on with any backend ◄── nothing that binds ───────────────────────────┤
///        keeps its backend        ◄── pins ─────────────────────────────────────────┘
/// ```
///
/// What the texts say is an upper bound: whether a transaction was rolled back, or a lock was had, only PostgreSQL
/// knows, so it is asked. Mutable and confined to the session's thread.
final class StateWatch {
    /// Names of parameters of applications that one session may use; PostgreSQL cannot list them, so each is asked
    /// for by name. Beyond that the backend is reset instead.
    private static final int OWN_PARAMETERS = 100;

    private final StateCheck check;
    /// Whether a backslash in an ordinary string is just that.
    private final BooleanSupplier standardStrings;

    // Of the current transaction.
    private int begun;
    private int ended;
    private boolean everyParameter;
    private boolean unnamedParameter;
    // Sets are made for their first name: most sessions never change a parameter.
    private Set<String> parameters = Set.of();
    private Set<String> changing = Set.of();
    private @Nullable PlanContext changingContext;

    // Of the session.
    private int pins;
    private Set<String> ownParameters = Set.of();
    private StatementEffects preparedBySql = StatementEffects.NONE;

    StateWatch(StateCheck check, BooleanSupplier standardStrings) {
        this.check = check;
        this.standardStrings = standardStrings;
    }

    // ---- what the client sends

    /// Statements with this effect are about to be executed.
    ///
    /// @param bound gives the value of a bound parameter by its number, or an empty text
    void sees(StatementEffects effects, IntFunction<String> bound) {
        if (effects.isNone()) {
            return;
        }
        if (effects.ambiguous() && !standardStrings.getAsBoolean()) {
            add(StatementEffects.ANYTHING, bound);
        }
        add(effects, bound);
        if (effects.preparesBySql()) {
            preparedBySql = preparedBySql.and(effects);
        }
        if (effects.executesBySql()) {
            seesStatementOfSql();
        }
    }

    /// A statement that SQL has prepared is executed.
    void seesStatementOfSql() {
        add(preparedBySql, _ -> "");
    }

    private void add(StatementEffects effects, IntFunction<String> bound) {
        begun |= effects.begins();
        ended |= effects.ends();
        everyParameter |= effects.everyParameter();
        unnamedParameter |= effects.unnamedParameter();
        effects.parameters().forEach(this::changes);
        effects.boundNames().forEach(number -> changes(bound.apply(number)));
        effects.localParameters().forEach(name -> changing = with(changing, name));
        effects.boundLocalNames().forEach(number -> changing = with(changing, bound.apply(number)));
        if (effects.everyParameter()) {
            changing = with(changing, "");
        }
        changingContext = null;
    }

    private void changes(String name) {
        if (name.isEmpty()) {
            everyParameter = true;
            unnamedParameter = true;
            return;
        }
        parameters = with(parameters, name);
        changing = with(changing, name);
        if (name.contains(".")) {
            ownParameters = with(ownParameters, name);
            unnamedParameter |= ownParameters.size() > OWN_PARAMETERS;
        }
    }

    private static Set<String> with(Set<String> names, String name) {
        Set<String> longer = names.isEmpty() ? new LinkedHashSet<>() : names;
        longer.add(name);
        return longer;
    }

    /// Which prepared statements the session can share now.
    PlanContext planContext(WantedParameters wanted) {
        if (changing.isEmpty()) {
            return wanted.planContext();
        }
        PlanContext known = changingContext;
        if (known == null) {
            known = wanted.planContext().changedIn(changing);
            changingContext = known;
        }
        return known;
    }

    // ---- when everything has been answered and no transaction is open

    /// What the backend has to be asked, if anything.
    Optional<Inspection> due() {
        if (check == StateCheck.ALWAYS || (pins & StateKind.UNKNOWN.mask()) != 0) {
            return Optional.of(new Inspection(StateKind.EVERY_KIND, true, List.copyOf(ownParameters)));
        }
        if (begun == 0 && (ended & pins) == 0) {
            if (!changing.isEmpty()) {
                transactionOver();
            }
            return Optional.empty();
        }
        if (check == StateCheck.NEVER) {
            transactionOver();
            return Optional.empty();
        }
        if ((begun & StateKind.LIBRARY.mask()) != 0) {
            pins |= StateKind.LIBRARY.mask();
        }
        int kinds = (begun | ended & pins) & StateKind.EVERY_KIND;
        if (kinds == 0) {
            transactionOver();
            return Optional.empty();
        }
        Set<String> names = everyParameter ? new LinkedHashSet<>(ownParameters) : parameters;
        return Optional.of(new Inspection(kinds, everyParameter, new ArrayList<>(names)));
    }

    /// The backend has said what is there.
    void found(Findings findings) {
        pins = pins & ~findings.asked().kinds() & ~StateKind.UNKNOWN.mask()
                | findings.kinds() & ~StateKind.PARAMETER.mask();
        transactionOver();
    }

    /// The backend could not be asked; it is asked again after the next transaction.
    void notFound() {
        pins |= StateKind.UNKNOWN.mask();
        transactionOver();
    }

    /// The client has executed DISCARD ALL.
    void discarded() {
        pins &= StateKind.LIBRARY.mask();
    }

    private void transactionOver() {
        begun = 0;
        ended = 0;
        everyParameter = false;
        parameters = Set.of();
        changing = Set.of();
        changingContext = null;
    }

    /// What keeps the session on its backend, as [StateKind#mask()] bits.
    int pins() {
        return pins;
    }

    /// What the backend has to be cleaned of when the session leaves it now.
    Left leaves() {
        if (check == StateCheck.NEVER) {
            return Left.NOTHING;
        }
        if (((pins | begun) & StateKind.LIBRARY.mask()) != 0) {
            return Left.LIBRARY;
        }
        if (pins != 0 || begun != 0) {
            return Left.STATE;
        }
        return check == StateCheck.ALWAYS || unnamedParameter ? Left.PARAMETERS : Left.NOTHING;
    }

    /// The session has given its backend back.
    void left() {
        pins = 0;
        unnamedParameter = false;
        transactionOver();
    }

    // ---- FunctionCall

    /// The server's own large object functions by their OID (`pg_proc.dat`): lo_open, lo_close, loread, lowrite,
    /// lo_lseek, lo_creat, lo_create, lo_tell, lo_truncate, lo_unlink, and their 64-bit forms.
    private static final Set<Integer> LARGE_OBJECTS =
            Set.of(952, 953, 954, 955, 956, 957, 715, 958, 1004, 964, 3170, 3171, 3172);

    /// A FunctionCall. Drivers use it for large objects; what other functions do cannot be known.
    void seesFunctionCall(ByteBuf body) {
        if (body.readableBytes() < 4 || !LARGE_OBJECTS.contains(body.getInt(body.readerIndex()))) {
            add(StatementEffects.ANYTHING, _ -> "");
        }
    }
}
