package org.pgporter.node.authquery;

import io.netty.buffer.ByteBuf;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.cluster.credential.UserLookups.Outcome;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.RowDescription;

/// Makes a user of PostgreSQL's answer to a lookup.
///
/// The secret is in column `passwd`, or else `password`, or else in the only column there is. No row, NULL
/// or an empty text: there is no such user. Two rows: nobody can say who is meant. `valuntil`,
/// `rolvaliduntil` or `valid_until` says until when the password holds. `startup_parameters` is a JSON
/// object of settings. Other columns mean nothing.
final class UserRow {
    private static final int HEADER = 5;
    private static final List<String> SECRETS = List.of("passwd", "password");
    private static final Set<String> VALIDITY = Set.of("valuntil", "rolvaliduntil", "valid_until");
    private static final String PARAMETERS = "startup_parameters";

    /// All settings of one user together, in characters; the startup packet has to hold those of the pool,
    /// too.
    private static final int MOST_PARAMETERS = 4096;

    /// The name has characters that the server's encoding does not have, so no role can have it.
    private static final Set<String> IMPOSSIBLE_NAME = Set.of("22021", "22P05");

    /// `timestamptz` in style ISO.
    private static final Pattern TIMESTAMP = Pattern.compile(
            "(\\d{4,6})-(\\d\\d)-(\\d\\d) (\\d\\d):(\\d\\d):(\\d\\d)(?:\\.\\d{1,6})?([+-]\\d\\d(?::\\d\\d){0,2})( BC)?");

    private static final int YEAR = 1;
    private static final int MONTH = 2;
    private static final int DAY = 3;
    private static final int HOUR = 4;
    private static final int MINUTE = 5;
    private static final int SECOND = 6;
    private static final int OFFSET = 7;
    private static final int BEFORE_CHRIST = 8;

    private List<String> columns = List.of();
    private final List<DataRow> rows = new ArrayList<>();
    private Optional<ErrorResponse> error = Optional.empty();
    private final LongAdder parametersDropped;

    private static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1;

        Unreadable(String what) {
            super(what, null, false, false);
        }
    }

    private UserRow(LongAdder parametersDropped) {
        this.parametersDropped = parametersDropped;
    }

    /// @param answer whole messages, up to ReadyForQuery
    /// @param parametersDropped counts settings that cannot be used
    static Outcome read(ByteBuf answer, LongAdder parametersDropped) {
        UserRow row = new UserRow(parametersDropped);
        try {
            row.collect(answer);
            return row.outcome();
        } catch (Unreadable e) {
            return new Outcome.Failed(String.valueOf(e.getMessage()));
        } catch (ProtocolViolation | IndexOutOfBoundsException | IllegalArgumentException _) {
            return new Outcome.Failed("the answer of PostgreSQL cannot be read");
        }
    }

    private void collect(ByteBuf answer) {
        while (answer.readableBytes() >= HEADER) {
            byte type = answer.readByte();
            ByteBuf body = answer.readSlice(answer.readInt() - Integer.BYTES);
            switch (type) {
                case RowDescription.TYPE ->
                    columns = RowDescription.decode(body).columns().stream()
                            .map(RowDescription.Column::name)
                            .toList();
                case DataRow.TYPE -> rows.add(DataRow.decode(body));
                case ErrorResponse.TYPE -> error = error.or(() -> Optional.of(ErrorResponse.decode(body)));
                default -> {
                    // Says nothing about a user.
                }
            }
        }
    }

    private Outcome outcome() throws Unreadable {
        if (error.isPresent()) {
            ErrorResponse said = error.get();
            return IMPOSSIBLE_NAME.contains(said.sqlState().code())
                    ? new Outcome.Unknown()
                    : new Outcome.Failed("PostgreSQL: " + said.sqlState() + " " + said.message());
        }
        int secret = secretColumn();
        if (rows.size() > 1) {
            throw new Unreadable("the query gives more than one row");
        }
        if (rows.isEmpty()) {
            return new Outcome.Unknown();
        }
        Optional<String> text = value(secret).filter(it -> !it.isEmpty());
        if (text.isEmpty()) {
            return new Outcome.Unknown();
        }
        return new Outcome.Known(credential(text.get()), validUntil(), startupParameters());
    }

    private int secretColumn() throws Unreadable {
        for (String name : SECRETS) {
            int index = columns.indexOf(name);
            if (index >= 0) {
                return index;
            }
        }
        if (columns.size() == 1) {
            return 0;
        }
        throw new Unreadable("the query gives no column passwd or password");
    }

    private Optional<String> value(int column) {
        return rows.getFirst().values().get(column).map(Bytes::toText);
    }

    private static HashedCredential credential(String text) throws Unreadable {
        try {
            if (StoredCredential.parse(text) instanceof HashedCredential hash) {
                return hash;
            }
        } catch (IllegalArgumentException e) {
            throw new Unreadable(String.valueOf(e.getMessage())); // says what is wrong and never contains the text
        }
        throw new Unreadable("the query gives something that is neither an MD5 nor a SCRAM secret");
    }

    private Optional<Instant> validUntil() throws Unreadable {
        for (int i = 0; i < columns.size(); i++) {
            if (VALIDITY.contains(columns.get(i))) {
                Optional<String> text = value(i);
                return text.isEmpty() ? Optional.empty() : instant(text.get());
            }
        }
        return Optional.empty();
    }

    private static Optional<Instant> instant(String text) throws Unreadable {
        if (text.equals("infinity")) {
            return Optional.empty();
        }
        Matcher time = TIMESTAMP.matcher(text);
        if (text.equals("-infinity") || (time.matches() && time.group(BEFORE_CHRIST) != null)) {
            return Optional.of(Instant.EPOCH);
        }
        try {
            if (time.matches()) {
                return Optional.of(LocalDateTime.of(
                                number(time, YEAR),
                                number(time, MONTH),
                                number(time, DAY),
                                number(time, HOUR),
                                number(time, MINUTE),
                                number(time, SECOND))
                        .toInstant(ZoneOffset.of(time.group(OFFSET))));
            }
        } catch (DateTimeException _) {
            // As if it had another form.
        }
        throw new Unreadable("the query gives a validity that is no timestamptz");
    }

    private static int number(Matcher time, int group) {
        return Integer.parseInt(time.group(group));
    }

    private Map<String, String> startupParameters() {
        int column = columns.indexOf(PARAMETERS);
        Optional<String> text = column < 0 ? Optional.empty() : value(column);
        if (text.isEmpty()) {
            return Map.of();
        }
        Optional<Map<String, String>> read = FlatJson.read(text.get());
        if (read.isEmpty() || text.get().length() > MOST_PARAMETERS) {
            parametersDropped.increment();
            return Map.of();
        }
        Map<String, String> usable = new LinkedHashMap<>();
        read.get().forEach((name, value) -> {
            if (AuthQueryConfig.allowsStartupParameter(name, value)) {
                usable.put(name, value);
            } else {
                parametersDropped.increment();
            }
        });
        return usable;
    }
}
