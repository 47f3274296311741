package org.pgporter.integration.differential;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.pgporter.integration.differential.Conversation.Await;
import org.pgporter.integration.differential.Conversation.AwaitClosed;
import org.pgporter.integration.differential.Conversation.Cancel;
import org.pgporter.integration.differential.Conversation.Leave;
import org.pgporter.integration.differential.Conversation.Say;
import org.pgporter.integration.differential.Conversation.Step;
import org.pgporter.integration.differential.Conversation.Write;
import org.pgporter.integration.differential.Heard.Line;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.support.RecordingClient;
import org.pgporter.support.RecordingClient.Frame;

/// Plays a conversation to whoever listens at an address, and writes down what the clients hear.
///
/// Nobody waits for time. A client that says nothing more sends a Sync and a query that is wrong in a way of its
/// own: its error, and the ReadyForQuery after it, come when all the rest has been said, whatever state the
/// session is in; or the server closes.
///
/// `@unique@` in a message becomes a number of eight digits that no other play has, for texts that PgPorter must not
/// know from the play before.
final class Player {
    /// PostgreSQL finds a syntax error before it looks whether the transaction has failed.
    private static final String END = "end_of_conversation";

    private static final byte[] UNIQUE = "@unique@".getBytes(StandardCharsets.US_ASCII);
    private static final AtomicInteger PLAYS = new AtomicInteger(10_000_000);

    private final String host;
    private final int port;
    private final String role;
    private final String password;
    private final String database;
    private final int lastFixedOid;

    Player(String host, int port, String role, String password, String database, int lastFixedOid) {
        this.host = host;
        this.port = port;
        this.role = role;
        this.password = password;
        this.database = database;
        this.lastFixedOid = lastFixedOid;
    }

    Heard play(Conversation conversation, Delivery delivery) {
        var play = new Play(conversation, delivery);
        try {
            conversation.steps().forEach(play::step);
            play.parts.values().forEach(Part::end);
        } finally {
            play.parts.values().forEach(it -> it.client.close());
        }
        var heard = new LinkedHashMap<String, List<Line>>();
        play.parts.forEach((name, part) -> heard.put(name, part.heard));
        return new Heard(heard);
    }

    private final class Play {
        private final Conversation conversation;
        private final Delivery delivery;
        private final Map<String, Part> parts = new LinkedHashMap<>();
        private final byte[] number = Integer.toString(PLAYS.incrementAndGet()).getBytes(StandardCharsets.US_ASCII);

        Play(Conversation conversation, Delivery delivery) {
            this.conversation = conversation;
            this.delivery = delivery;
        }

        private byte[] unique(byte[] bytes) {
            for (int i = 0; i + UNIQUE.length <= bytes.length; i++) {
                if (bytes[i] == UNIQUE[0] && Arrays.equals(bytes, i, i + UNIQUE.length, UNIQUE, 0, UNIQUE.length)) {
                    System.arraycopy(number, 0, bytes, i, UNIQUE.length);
                }
            }
            return bytes;
        }

        void step(Step step) {
            var part = parts.computeIfAbsent(step.client(), _ -> new Part(conversation, delivery));
            switch (step) {
                case Say(var _, var bytes) -> part.unsent.writeBytes(unique(bytes.toArray()));
                case Write _ -> part.write();
                case Await(var _, var types, var times) -> {
                    for (int i = 0; i < times; i++) {
                        part.hear(frame -> types.indexOf(frame.type()) >= 0, "one of " + types);
                    }
                }
                case AwaitClosed _ -> part.hear(_ -> false, "the server to close");
                case Cancel _ -> {
                    part.write();
                    part.client.cancels();
                }
                case Leave _ -> part.leave();
            }
        }
    }

    /// One client.
    private final class Part {
        private final RecordingClient client;
        private final FrameText text = new FrameText(lastFixedOid);
        private final List<Line> heard = new ArrayList<>();
        private final ByteArrayOutputStream unsent = new ByteArrayOutputStream();
        private final Delivery delivery;
        private boolean over;

        Part(Conversation conversation, Delivery delivery) {
            this.delivery = delivery;
            client = RecordingClient.logsIn(host, port, role, password, database, conversation.startup());
            heard.addAll(greeting());
            over = !client.letIn();
        }

        /// The order of ParameterStatus messages means nothing.
        private List<Line> greeting() {
            var parameters = client.greeting().stream()
                    .filter(it -> it.type() == 'S')
                    .map(text::of)
                    .sorted(java.util.Comparator.comparing(Line::text));
            var others =
                    client.greeting().stream().filter(it -> it.type() != 'S').map(text::of);
            return Stream.concat(parameters, others).toList();
        }

        void write() {
            if (unsent.size() > 0 && !over) {
                client.sends(delivery.pieces(unsent.toByteArray()));
            }
            unsent.reset();
        }

        /// Up to a message that is awaited, or to the end of the connection.
        void hear(Predicate<Frame> awaited, String what) {
            write();
            while (!over) {
                Optional<Frame> frame;
                try {
                    frame = client.next(what);
                } catch (AssertionError e) {
                    heard.add(Line.of(Heard.NOTHING_MORE + ": awaiting " + what + ", " + firstLine(e)));
                    over = true;
                    return;
                }
                if (frame.isEmpty()) {
                    heard.add(Line.of("closed"));
                    over = true;
                    return;
                }
                heard.add(text.of(frame.get()));
                if (awaited.test(frame.get())) {
                    return;
                }
            }
        }

        private static String firstLine(AssertionError e) {
            return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        }

        void leave() {
            write();
            over = true;
            client.close();
        }

        void end() {
            if (over) {
                return;
            }
            unsent.writeBytes(RecordingClient.encoded(new Sync(), new Query(END)));
            hear(Part::marksTheEnd, "the end");
            hear(frame -> frame.type() == 'Z', "the last ReadyForQuery");
            if (!over) {
                client.sends(List.of(RecordingClient.encoded(new Terminate())));
            }
        }

        private static boolean marksTheEnd(Frame frame) {
            return frame.type() == 'E' && new String(frame.body().toArray(), StandardCharsets.ISO_8859_1).contains(END);
        }
    }
}
