package org.pgporter.protocol.message;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// At least one message of every kind.
public final class MessageSamples {

    private static final Bytes FOUR = Bytes.of((byte) 1, (byte) 0, (byte) -1, (byte) 4);

    private MessageSamples() {}

    public static List<FrontendMessage> frontend() {
        return List.of(
                new Query("select 'größe'"),
                new Query(""),
                new Parse("s1", "select $1", List.of(0, 25, -1)),
                new Bind("", "s1", List.of(0, 1), List.of(Optional.empty(), Optional.of(FOUR)), List.of(1)),
                new Describe(Target.STATEMENT, "s1"),
                new Describe(Target.PORTAL, ""),
                new Close(Target.PORTAL, "p"),
                new Execute("", 17),
                new Flush(),
                new Sync(),
                new Terminate(),
                new CopyData(FOUR),
                new CopyDone(),
                new CopyFail("no more"),
                new FunctionCall(1598, List.of(1), List.of(Optional.of(FOUR), Optional.empty()), 1),
                new SaslResponse(Bytes.ofText("c=biws,r=x,p=y")));
    }

    public static List<BackendMessage> backend() {
        return List.of(
                new AuthenticationOk(),
                new AuthenticationCleartextPassword(),
                new AuthenticationMd5Password(FOUR),
                new AuthenticationSasl(List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")),
                new AuthenticationSaslContinue(FOUR),
                new AuthenticationSaslFinal(Bytes.EMPTY),
                new AuthenticationUnsupported(7, FOUR),
                new BackendKeyData(-5, FOUR),
                new BackendKeyData(5, Bytes.of(new byte[256])),
                new ParameterStatus("TimeZone", "Etc/UTC"),
                new ReadyForQuery(TransactionStatus.FAILED),
                ErrorResponse.of(Severity.FATAL, SqlState.INVALID_PASSWORD, "no")
                        .withDetail("d")
                        .withHint("h"),
                NoticeResponse.of(Severity.WARNING, SqlState.SUCCESSFUL_COMPLETION, "mind")
                        .with('n', "c"),
                new NegotiateProtocolVersion(ProtocolVersion.V3_2, List.of("_pq_.a", "_pq_.b")),
                new NotificationResponse(9, "channel", ""),
                new ParseComplete(),
                new BindComplete(),
                new CloseComplete(),
                new NoData(),
                new EmptyQueryResponse(),
                new PortalSuspended(),
                new CommandComplete("SELECT 1"),
                RowDescription.ofText("a", "b"),
                new RowDescription(List.of(new RowDescription.Column("c", 16384, 3, 23, 4, -1, 1))),
                DataRow.ofText("1", ""),
                new DataRow(List.of(Optional.empty(), Optional.of(FOUR))),
                new FunctionCallResponse(Optional.of(FOUR)),
                new CopyInResponse(0, List.of(0, 0)),
                new CopyOutResponse(1, List.of(1)),
                new CopyBothResponse(0, List.of()),
                new CopyData(Bytes.EMPTY),
                new CopyDone());
    }

    public static List<StartupPacket> startup() {
        Map<String, String> parameters = new TreeMap<>(Map.of("user", "alice", "database", "app", "_pq_.x", "1"));
        return List.of(
                new SslRequest(),
                new GssEncRequest(),
                new CancelRequest(42, FOUR),
                new CancelRequest(-42, Bytes.of(new byte[256])),
                new StartupMessage(ProtocolVersion.V3_0, parameters),
                new StartupMessage(new ProtocolVersion(3, 9999), Map.of()));
    }

    public static Stream<WireMessage> all() {
        List<WireMessage> all = new ArrayList<>(frontend());
        all.addAll(backend());
        all.addAll(startup());
        return all.stream();
    }
}
