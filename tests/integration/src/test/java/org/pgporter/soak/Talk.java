package org.pgporter.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.RawClient;

/// A session's conversation on the wire: questions whole, answers whole.
final class Talk {
    private final RawClient client;

    Talk(RawClient client) {
        this.client = client;
    }

    /// What came up to one ReadyForQuery, or to the request for data of a COPY.
    ///
    /// @param rows of all results, and the lines of a COPY out as rows of one value; SQL's null is the word `null`
    /// @param errors SQLSTATEs
    /// @param status of the transaction; empty when data is asked for
    record Answer(List<List<String>> rows, List<String> errors, Optional<TransactionStatus> status) {}

    void sends(FrontendMessage... messages) throws Disturbed {
        closedIsDisturbed(() -> client.sends(messages));
    }

    /// The next answer.
    ///
    /// @throws Disturbed when an error tells of a lost backend, or the connection has ended
    Answer answer() throws Disturbed {
        List<List<String>> rows = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        while (true) {
            Optional<BackendMessage> message = closedIsDisturbed(client::expectsAnyOrEnd);
            if (message.isEmpty()) {
                throw new Disturbed(Disturbed.CLOSED, "the connection has ended");
            }
            switch (message.get()) {
                case DataRow row ->
                    rows.add(row.values().stream()
                            .map(it -> it.map(Bytes::toText).orElse("null"))
                            .toList());
                case CopyData line -> rows.add(List.of(line.data().toText().strip()));
                case ErrorResponse error -> {
                    String state = error.sqlState().code();
                    if (Disturbed.tellsOfLoss(state)) {
                        throw new Disturbed(state, error.message());
                    }
                    errors.add(state);
                    if (error.severity() != Severity.ERROR) {
                        throw wrong("a session was ended by " + state + " " + error.message());
                    }
                }
                case CopyInResponse _ -> {
                    return new Answer(rows, errors, Optional.empty());
                }
                case ReadyForQuery(var status) -> {
                    return new Answer(rows, errors, Optional.of(status));
                }
                case BackendMessage _ -> {}
            }
        }
    }

    /// A simple query that must succeed.
    ///
    /// @return its rows
    List<List<String>> query(String sql) throws Disturbed {
        sends(new Query(sql));
        Answer answer = answer();
        if (!answer.errors().isEmpty()) {
            throw wrong(sql + " failed: " + answer.errors());
        }
        return answer.rows();
    }

    /// A simple query of one value that must succeed.
    String value(String sql) throws Disturbed {
        List<List<String>> rows = query(sql);
        if (rows.size() != 1 || rows.getFirst().size() != 1) {
            throw wrong(sql + " should have had one value: " + rows);
        }
        return rows.getFirst().getFirst();
    }

    /// A simple query that must fail so.
    void fails(String sqlState, String sql) throws Disturbed {
        sends(new Query(sql));
        expects(List.of(sqlState), answer().errors(), sql);
    }

    void expects(Object expected, Object actual, String about) {
        if (!expected.equals(actual)) {
            throw wrong(about + ": expected " + expected + ", got " + actual);
        }
    }

    /// A failure of what is tested, with what was said before.
    AssertionError wrong(String what) {
        return new AssertionError(what + "\n" + client.transcript());
    }

    private static <T> T closedIsDisturbed(Supplier<T> action) throws Disturbed {
        try {
            return action.get();
        } catch (UncheckedIOException e) {
            throw new Disturbed(Disturbed.CLOSED, String.valueOf(e.getMessage()));
        } catch (AssertionError e) {
            if (e.getCause() instanceof IOException lost) {
                throw new Disturbed(Disturbed.CLOSED, String.valueOf(lost.getMessage()));
            }
            throw e;
        }
    }
}
