package org.pgporter.jmh;

import static org.pgporter.support.BackendMessages.bindComplete;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.readyForQuery;
import static org.pgporter.support.BackendMessages.rowDescription;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.message.WireMessage;

/// What clients and servers say to each other, as pgbench's select-only script does.
public final class Traffic {
    /// A name that a client gives its prepared statement.
    public static final String NAME = "P0_1";

    public static final String SQL = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";
    public static final String PREPARED_SQL = "SELECT abalance FROM pgbench_accounts WHERE aid = $1;";

    private Traffic() {}

    public static WireMessage[] query() {
        return new WireMessage[] {new Query(SQL)};
    }

    public static WireMessage[] parse() {
        return new WireMessage[] {new Parse(NAME, PREPARED_SQL, List.of()), new Sync()};
    }

    public static WireMessage[] execute() {
        return new WireMessage[] {
            new Bind("", NAME, List.of(), List.of(Optional.of(Bytes.ofText("4711"))), List.of()),
            new Execute("", 0),
            new Sync()
        };
    }

    /// The same again and again, each with its own Sync.
    public static WireMessage[] repeated(int times, WireMessage... messages) {
        List<WireMessage> all = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            all.addAll(List.of(messages));
        }
        return all.toArray(WireMessage[]::new);
    }

    public static WireMessage[] queryAnswer(int rows) {
        List<WireMessage> all = new ArrayList<>();
        all.add(rowDescription("abalance"));
        for (int i = 0; i < rows; i++) {
            all.add(dataRow(Integer.toString(1000 + i)));
        }
        all.add(commandComplete("SELECT " + rows));
        all.add(readyForQuery(TransactionStatus.IDLE));
        return all.toArray(WireMessage[]::new);
    }

    public static WireMessage[] executeAnswer() {
        return new WireMessage[] {
            bindComplete(), dataRow("1000"), commandComplete("SELECT 1"), readyForQuery(TransactionStatus.IDLE)
        };
    }

    /// The messages in one buffer, of the kind that Netty reads into.
    public static ByteBuf bytes(WireMessage... messages) {
        ByteBuf bytes = PooledByteBufAllocator.DEFAULT.directBuffer();
        for (WireMessage message : messages) {
            message.encodeTo(bytes);
        }
        return bytes;
    }

    /// The messages as the batch that framing makes of them.
    public static Batch batch(DecodePolicy policy, WireMessage... messages) {
        try (FrameDecoder decoder = new FrameDecoder(policy)) {
            decoder.feed(bytes(messages));
            return decoder.next().orElseThrow();
        }
    }
}
