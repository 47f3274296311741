package org.pgporter.node.admin;

import java.util.List;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.NoticeResponse;

/// What the console says to a command.
sealed interface Answer {
    /// @param notices said before the rows
    record Rows(Table table, String tag, List<NoticeResponse> notices) implements Answer {}

    /// @param notices said before the end
    record Done(String tag, List<NoticeResponse> notices) implements Answer {
        Done(String tag) {
            this(tag, List.of());
        }
    }

    record Nothing() implements Answer {}

    record Refused(ErrorResponse error) implements Answer {}
}
