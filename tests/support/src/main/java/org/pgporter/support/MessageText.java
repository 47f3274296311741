package org.pgporter.support;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.WireMessage;

/// A message as one readable line of a [Transcript].
final class MessageText {
    private static final int SHOWN_CHARACTERS = 200;

    private MessageText() {}

    static String of(WireMessage message) {
        var name = message.getClass().getSimpleName();
        var details = switch (message) {
            case StartupMessage it -> it.version() + " " + it.parameters();
            case CancelRequest it -> it.processId() + " " + it.key();
            case Query it -> quoted(it.sql());
            case Parse it -> quoted(it.statement()) + " " + quoted(it.sql());
            case Bind it -> quoted(it.portal()) + " " + quoted(it.statement()) + " " + values(it.parameters());
            case Describe it -> (char) it.target().code() + " " + quoted(it.name());
            case Close it -> (char) it.target().code() + " " + quoted(it.name());
            case Execute it -> quoted(it.portal()) + " " + it.maxRows();
            case CopyData it -> it.data().size() + " bytes";
            case AuthenticationMd5Password _ -> "";
            case AuthenticationSasl it -> it.mechanisms().toString();
            case BackendKeyData it -> it.processId() + " " + it.secret();
            case ParameterStatus it -> quoted(it.name()) + " " + quoted(it.value());
            case ReadyForQuery it -> String.valueOf((char) it.status().code());
            case RowDescription it ->
                it.columns().stream()
                        .map(RowDescription.Column::name)
                        .map(MessageText::quoted)
                        .collect(Collectors.joining(" "));
            case DataRow it -> values(it.values());
            case CommandComplete it -> quoted(it.tag());
            case NotificationResponse it -> quoted(it.channel()) + " " + quoted(it.payload());
            case ErrorResponse it -> it.severity() + " " + it.sqlState() + " " + quoted(it.message());
            case NoticeResponse it -> it.fields().toString();
            default -> withoutName(message.toString());
        };
        return (name + " " + details).strip();
    }

    private static String values(List<Optional<Bytes>> values) {
        return values.stream()
                .map(it -> it.map(bytes -> quoted(bytes.toText())).orElse("null"))
                .collect(Collectors.joining(" "));
    }

    private static String quoted(String text) {
        var shown = text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + "…" : text;
        return '"' + shown.replace("\n", "\\n") + '"';
    }

    /// `CopyFail[reason=no]` is `[reason=no]`, `Sync[]` is empty.
    private static String withoutName(String record) {
        var bracket = record.indexOf('[');
        var rest = bracket < 0 ? record : record.substring(bracket);
        return rest.equals("[]") ? "" : rest;
    }
}
