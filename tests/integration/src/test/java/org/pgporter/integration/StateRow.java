package org.pgporter.integration;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.RawClient;

/// A row of the matrix: something that a client does to its session, and what is to become of that.
///
/// What the session's answers have to be is not written down: the row is played to PostgreSQL directly as well, and
/// that is what they are compared with.
///
/// @param startup names and values in turn, for the startup packet of the client
/// @param deed what the client does; errors are part of it
/// @param probe a query whose answer shows what is left of the deed
/// @param ends what the client does so that nothing is left, if the fate is [Fate#PINS]; else empty
/// @param shapes how the deed can be said
record StateRow(
        String name,
        Fate fate,
        boolean superuser,
        List<String> startup,
        List<Statement> deed,
        String probe,
        List<Statement> ends,
        Set<Shape> shapes) {
    private static final Pattern ALONE = Pattern.compile("^(begin|commit|rollback|discard all|call) ?");

    enum Fate {
        /// The session has it on every backend.
        TRAVELS,
        /// The session keeps its backend until it is over.
        PINS,
        /// The session itself does not have it any more after the deed.
        PASSES
    }

    /// @param values of `$1` and so on; with any, the statement can only be said in the extended protocol
    record Statement(String sql, List<String> values) {
        static Statement bound(String sql, String... values) {
            return new Statement(sql, List.of(values));
        }

        /// Whether PostgreSQL wants it alone, or it would not run with others in a transaction that has failed.
        private boolean standsAlone() {
            return ALONE.matcher(sql).find();
        }
    }

    /// How a statement is said.
    enum Shape {
        /// A simple query for each statement.
        SIMPLE,
        /// Parse, Bind, Execute and Sync for each statement.
        EXTENDED,
        /// As [#EXTENDED], between two other statements that share its Sync.
        PIPELINED,
        /// A simple query in the middle of which it hides, behind comments and quotes.
        HIDDEN;

        /// The messages, in one write.
        FrontendMessage[] messages(Statement statement) {
            return switch (forced(statement)) {
                case SIMPLE -> new FrontendMessage[] {new Query(statement.sql())};
                case EXTENDED -> extended(statement);
                case PIPELINED ->
                    extended(
                            new Statement("select 'before'", List.of()),
                            statement,
                            new Statement("select 'behind'", List.of()));
                case HIDDEN ->
                    new FrontendMessage[] {
                        new Query("select ';', $a$ ; $$ $a$ /* ; /* nested */ ' */; --; '\n /* */ " + statement.sql()
                                + " /* behind it */ -- ;\n; select 'behind ;' \"'\"")
                    };
            };
        }

        private Shape forced(Statement statement) {
            return switch (this) {
                case SIMPLE -> statement.values().isEmpty() ? SIMPLE : EXTENDED;
                case EXTENDED -> EXTENDED;
                case PIPELINED -> statement.standsAlone() ? EXTENDED : PIPELINED;
                case HIDDEN -> !statement.values().isEmpty() ? EXTENDED : statement.standsAlone() ? SIMPLE : HIDDEN;
            };
        }

        private static FrontendMessage[] extended(Statement... statements) {
            List<FrontendMessage> messages = new ArrayList<>();
            for (Statement statement : statements) {
                messages.add(new Parse("", statement.sql(), List.of()));
                messages.add(RawClient.bind("", "", statement.values().toArray(String[]::new)));
                messages.add(new Execute("", 0));
            }
            messages.add(new Sync());
            return messages.toArray(FrontendMessage[]::new);
        }
    }

    static StateRow travels(String name, String probe, String... deed) {
        return new StateRow(
                name, Fate.TRAVELS, false, List.of(), statements(deed), probe, List.of(), EnumSet.allOf(Shape.class));
    }

    static StateRow passes(String name, String probe, String... deed) {
        return new StateRow(
                name, Fate.PASSES, false, List.of(), statements(deed), probe, List.of(), EnumSet.allOf(Shape.class));
    }

    static StateRow pins(String name, String probe, String... deed) {
        return new StateRow(
                name, Fate.PINS, false, List.of(), statements(deed), probe, List.of(), EnumSet.allOf(Shape.class));
    }

    StateRow asSuperuser() {
        return new StateRow(name, fate, true, startup, deed, probe, ends, shapes);
    }

    StateRow startingWith(String... parameters) {
        return new StateRow(name, fate, superuser, List.of(parameters), deed, probe, ends, shapes);
    }

    /// As another statement of the deed.
    StateRow bound(String sql, String... values) {
        List<Statement> all = Stream.concat(deed.stream(), Stream.of(Statement.bound(sql, values)))
                .toList();
        return new StateRow(name, fate, superuser, startup, all, probe, ends, shapes);
    }

    StateRow until(String... end) {
        return new StateRow(name, fate, superuser, startup, deed, probe, statements(end), shapes);
    }

    /// For texts of several statements.
    StateRow onlySimple() {
        return new StateRow(name, fate, superuser, startup, deed, probe, ends, EnumSet.of(Shape.SIMPLE, Shape.HIDDEN));
    }

    private static List<Statement> statements(String... texts) {
        return Stream.of(texts).map(Statement::bound).toList();
    }

    @Override
    public String toString() {
        return name;
    }
}
