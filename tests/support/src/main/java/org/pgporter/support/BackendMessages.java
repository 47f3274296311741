package org.pgporter.support;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.message.AuthenticationCleartextPassword;
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.AuthenticationOk;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CloseComplete;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.CopyBothResponse;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.CopyOutResponse;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.EmptyQueryResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.NoData;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.PortalSuspended;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.TransactionStatus;

/// What a server says, in short words for scripts; made for `import static`.
public final class BackendMessages {
    private static final int TEXT_FORMAT = 0;

    private BackendMessages() {}

    public static AuthenticationOk authenticationOk() {
        return new AuthenticationOk();
    }

    public static AuthenticationCleartextPassword authenticationCleartextPassword() {
        return new AuthenticationCleartextPassword();
    }

    /// @param salt four bytes
    public static AuthenticationMd5Password authenticationMd5Password(byte... salt) {
        return new AuthenticationMd5Password(Bytes.of(salt));
    }

    public static AuthenticationSasl authenticationSasl(String... mechanisms) {
        return new AuthenticationSasl(List.of(mechanisms));
    }

    public static BackendKeyData backendKeyData(int processId, byte... secret) {
        return new BackendKeyData(processId, Bytes.of(secret));
    }

    public static ParameterStatus parameterStatus(String name, String value) {
        return new ParameterStatus(name, value);
    }

    /// What a PostgreSQL 18 with default settings reports at login.
    public static Map<String, String> usualParameters() {
        var parameters = new LinkedHashMap<String, String>();
        parameters.put("application_name", "");
        parameters.put("client_encoding", "UTF8");
        parameters.put("DateStyle", "ISO, MDY");
        parameters.put("default_transaction_read_only", "off");
        parameters.put("in_hot_standby", "off");
        parameters.put("integer_datetimes", "on");
        parameters.put("IntervalStyle", "postgres");
        parameters.put("is_superuser", "off");
        parameters.put("scram_iterations", "4096");
        parameters.put("search_path", "\"$user\", public");
        parameters.put("server_encoding", "UTF8");
        parameters.put("server_version", "18.0");
        parameters.put("session_authorization", "app");
        parameters.put("standard_conforming_strings", "on");
        parameters.put("TimeZone", "UTC");
        return parameters;
    }

    public static ReadyForQuery readyForQuery(TransactionStatus status) {
        return new ReadyForQuery(status);
    }

    /// Columns of type text.
    public static RowDescription rowDescription(String... columns) {
        return RowDescription.ofText(columns);
    }

    /// A row in text format; null is SQL's null.
    public static DataRow dataRow(@Nullable String... values) {
        return new DataRow(Stream.of(values)
                .map(it -> Optional.ofNullable(it).map(Bytes::ofText))
                .toList());
    }

    public static CommandComplete commandComplete(String tag) {
        return new CommandComplete(tag);
    }

    public static EmptyQueryResponse emptyQueryResponse() {
        return new EmptyQueryResponse();
    }

    /// Severity ERROR: the session goes on.
    public static ErrorResponse errorResponse(String sqlState, String message) {
        return ErrorResponse.of(Severity.ERROR, new SqlState(sqlState), message);
    }

    /// Severity FATAL: the server closes after it.
    public static ErrorResponse fatalResponse(String sqlState, String message) {
        return ErrorResponse.of(Severity.FATAL, new SqlState(sqlState), message);
    }

    /// Severity NOTICE, SQLSTATE 00000.
    public static NoticeResponse noticeResponse(String message) {
        return new NoticeResponse(Map.of('S', "NOTICE", 'V', "NOTICE", 'C', "00000", 'M', message));
    }

    public static NotificationResponse notificationResponse(int processId, String channel, String payload) {
        return new NotificationResponse(processId, channel, payload);
    }

    public static ParseComplete parseComplete() {
        return new ParseComplete();
    }

    public static BindComplete bindComplete() {
        return new BindComplete();
    }

    public static CloseComplete closeComplete() {
        return new CloseComplete();
    }

    public static NoData noData() {
        return new NoData();
    }

    public static PortalSuspended portalSuspended() {
        return new PortalSuspended();
    }

    /// Asks for columns in text format.
    public static CopyInResponse copyInResponse(int columns) {
        return new CopyInResponse(TEXT_FORMAT, textColumns(columns));
    }

    /// Announces columns in text format.
    public static CopyOutResponse copyOutResponse(int columns) {
        return new CopyOutResponse(TEXT_FORMAT, textColumns(columns));
    }

    public static CopyBothResponse copyBothResponse(int columns) {
        return new CopyBothResponse(TEXT_FORMAT, textColumns(columns));
    }

    public static CopyData copyData(String text) {
        return new CopyData(Bytes.ofText(text));
    }

    public static CopyDone copyDone() {
        return new CopyDone();
    }

    private static List<Integer> textColumns(int columns) {
        return Stream.generate(() -> TEXT_FORMAT).limit(columns).toList();
    }
}
