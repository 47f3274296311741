package org.pgporter.node.admin;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// What a SHOW answers: columns, and rows of text. A value that is null is SQL's NULL.
record Table(List<Column> columns, List<List<@Nullable String>> rows) {
    /// Points in time are shown as PgBouncer shows them.
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss zzz").withZone(ZoneId.systemDefault());

    static Rows of(List<Column> columns) {
        return new Rows(columns);
    }

    /// Collects rows.
    static final class Rows {
        private final List<Column> columns;
        private final List<List<@Nullable String>> rows = new ArrayList<>();

        private Rows(List<Column> columns) {
            this.columns = columns;
        }

        /// One value for each column: text, a whole number, an [Instant], a boolean (1 or 0), or an [Optional] of
        /// these.
        Rows row(@Nullable Object... values) {
            if (values.length != columns.size()) {
                throw new IllegalArgumentException(values.length + " values for columns "
                        + columns.stream().map(Column::name).toList());
            }
            @Nullable String[] texts = new String[values.length];
            for (int i = 0; i < values.length; i++) {
                texts[i] = text(values[i], columns.get(i).type());
            }
            rows.add(Arrays.asList(texts));
            return this;
        }

        private static @Nullable String text(@Nullable Object value, ColumnType type) {
            return switch (value) {
                case null -> null;
                case OptionalLong number -> number.isPresent() ? Long.toString(number.getAsLong()) : null;
                case Optional<?> optional -> text(optional.orElse(null), type);
                case Instant time -> TIME.format(time);
                case Boolean yes -> yes ? "1" : "0";
                case Long number
                when type == ColumnType.INT4 -> Long.toString(Math.clamp(number, Integer.MIN_VALUE, Integer.MAX_VALUE));
                default -> value.toString();
            };
        }

        Table table() {
            return new Table(columns, List.copyOf(rows));
        }
    }
}
