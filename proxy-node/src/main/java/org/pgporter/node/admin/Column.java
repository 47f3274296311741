package org.pgporter.node.admin;

import java.util.ArrayList;
import java.util.List;

/// One column of a table of the console.
record Column(String name, ColumnType type) {
    /// Columns as a line of words, each a name and the letter of its type: `database s, port i`. Letters as in the
    /// table
    /// of `docs/operations.md`: s text, i int4, q int8, N numeric.
    static List<Column> of(String line) {
        List<Column> columns = new ArrayList<>();
        for (String column : line.split(",")) {
            String[] parts = column.strip().split(" ");
            columns.add(new Column(parts[0], type(parts[1])));
        }
        return List.copyOf(columns);
    }

    private static ColumnType type(String letter) {
        return switch (letter) {
            case "s" -> ColumnType.TEXT;
            case "i" -> ColumnType.INT4;
            case "q" -> ColumnType.INT8;
            case "N" -> ColumnType.NUMERIC;
            default -> throw new IllegalArgumentException("no type: " + letter);
        };
    }
}
