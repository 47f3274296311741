package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.pgporter.node.backend.ModelServer.Failure;
import org.pgporter.node.backend.ModelServer.Message;
import org.pgporter.node.backend.RepliesOwed.Verdict;

/// Random conversations with two servers: one that the client talks to directly, and one that gets what a
/// backend connection makes of it. The client must see the same from both, and the queue may call itself settled
/// only when neither has anything more to say.
class RepliesOwedModelTest {
    private static final int CONVERSATIONS = 30_000;
    private static final int LONGEST = 30;

    /// One conversation.
    private static final class Conversation implements RepliesOwed.StatementEvents {
        final Random random;
        final ModelServer direct = new ModelServer();
        final ModelServer server = new ModelServer();
        final RepliesOwed owed = new RepliesOwed(this);
        final StringBuilder statements = new StringBuilder();
        final StringBuilder seen = new StringBuilder();
        final List<Byte> outcomes = new ArrayList<>();
        final StringBuilder history = new StringBuilder();

        Conversation(long seed) {
            random = new Random(seed);
            history.append("seed ").append(seed).append(':');
        }

        @Override
        public void prepared() {
            statements.append('+');
        }

        @Override
        public void describeEnded() {}

        @Override
        public void notPrepared() {
            statements.append('-');
        }

        boolean chance(int percent) {
            return random.nextInt(100) < percent;
        }

        /// Sends a message of the client, changed as a backend connection would.
        void send(Message message) {
            history.append(' ').append(message.type());
            if (message.failure() != Failure.NEVER) {
                history.append('!').append(message.failure());
            }
            boolean fails = message.failure() != Failure.NEVER;
            switch (message.type()) {
                case 'P' -> {
                    Message parse = new Message('P', message.failure(), 0, true, true);
                    direct.unread.add(parse);
                    if (!fails && chance(50)) {
                        history.append("(local)");
                        owed.answerLocally((byte) '1', true);
                    } else {
                        server.unread.add(parse);
                        owed.sentParse(false);
                    }
                }
                case 'B' -> {
                    direct.unread.add(message);
                    if (chance(30)) {
                        history.append("(injected)");
                        boolean doubt = chance(30);
                        if (doubt) {
                            server.unread.add(new Message('C', Failure.NEVER, 0, false, false));
                            owed.sentOwnClose();
                        }
                        server.unread.add(new Message('P', message.failure(), 0, false, true));
                        owed.sentParse(true);
                        server.unread.add(message.failing(Failure.NEVER));
                    } else {
                        server.unread.add(message);
                    }
                    owed.sent((byte) 'B');
                }
                case 'C' -> {
                    Message close = new Message('C', message.failure(), 0, true, false);
                    direct.unread.add(close);
                    if (!fails && chance(50)) {
                        history.append("(local)");
                        owed.answerLocally((byte) '3', true);
                    } else {
                        server.unread.add(close);
                        owed.sentRename((byte) 'C');
                    }
                }
                case 'h' -> {
                    direct.unread.add(message);
                    server.unread.add(message);
                    owed.sentBrokenFlush();
                }
                default -> {
                    direct.unread.add(message);
                    server.unread.add(message);
                    owed.sent((byte) message.type());
                }
            }
            direct.readAll();
            drain();
            check();
        }

        /// The server reads or says something, or not.
        void sometime(int percent) {
            while (chance(percent) && progress()) {
                check();
            }
        }

        boolean progress() {
            boolean canRead = !server.unread.isEmpty();
            boolean canSay = !server.unsent.isEmpty();
            if (canSay && (!canRead || chance(50))) {
                char type = server.unsent.remove();
                history.append(" <").append(type);
                if (owed.onReply((byte) type) == Verdict.FORWARD) {
                    seen.append(type);
                }
                drain();
                return true;
            }
            if (canRead) {
                server.readOne();
                return true;
            }
            return false;
        }

        void finish() {
            while (progress()) {
                check();
            }
        }

        private void drain() {
            for (byte local = owed.nextLocalReply(); local != 0; local = owed.nextLocalReply()) {
                seen.append((char) local);
            }
            for (byte outcome : owed.drainOutcomes()) {
                outcomes.add(outcome);
            }
        }

        private String wholeAnswer() {
            StringBuilder answer = new StringBuilder();
            direct.unsent.forEach(answer::append);
            return answer.toString();
        }

        void check() {
            if (!owed.lost() && !direct.dead) {
                assertThat(wholeAnswer()).as("%s", history).startsWith(seen);
            }
            if (owed.settled()) {
                assertThat(server.quiet() && !direct.dead)
                        .as("settled too early: %s", history)
                        .isTrue();
                assertThat(seen.toString()).as("%s", history).isEqualTo(wholeAnswer());
                assertThat(outcomes).as("%s", history).isEqualTo(direct.outcomes);
                assertThat(statements.toString()).as("%s", history).isEqualTo(server.statements.toString());
            }
        }

        void ownCycle() {
            history.append(" own");
            server.unread.add(new Message('O', chance(30) ? Failure.AT_ONCE : Failure.NEVER, 0, false, false));
            owed.startOwnCycle();
        }

        Message message(char type) {
            boolean copies = (type == 'Q' || type == 'E') && chance(25);
            int number = !copies ? 0 : type == 'Q' ? 1 + random.nextInt(2) : 1;
            Failure failure = Failure.NEVER;
            if (type != 'h' && chance(15)) {
                failure = copies ? Failure.values()[1 + random.nextInt(4)] : Failure.AT_ONCE;
            }
            return new Message(type, failure, number, false, false);
        }
    }

    private static char anyOf(Random random, String types) {
        return types.charAt(random.nextInt(types.length()));
    }

    @Test
    void shouldFollowEveryClientThatKeepsToTheProtocol() {
        for (long seed = 0; seed < CONVERSATIONS; seed++) {
            Conversation talk = new Conversation(seed);
            int length = 1 + talk.random.nextInt(LONGEST);
            for (int i = 0; i < length; i++) {
                if (talk.owed.settled() && talk.chance(20)) {
                    talk.ownCycle();
                }
                Message message = talk.message(anyOf(talk.random, "PPBBDEECSSQFHhcd"));
                talk.send(message);
                if (message.copies() > 0) {
                    copyIn(talk, message);
                }
                talk.sometime(60);
            }
            talk.send(talk.message('S'));
            talk.finish();
            assertThat(talk.owed.lost()).as("%s", talk.history).isFalse();
            assertThat(talk.owed.settled()).as("%s", talk.history).isTrue();
        }
    }

    /// Sends the data, either when the server has asked for it or blindly.
    private static void copyIn(Conversation talk, Message copy) {
        boolean blind = talk.chance(40);
        for (int i = 0; i < copy.copies(); i++) {
            if (!blind) {
                talk.finish();
                if (!talk.direct.inCopyIn()) {
                    return;
                }
            }
            while (talk.chance(50)) {
                talk.send(talk.message(talk.chance(80) ? 'd' : 'H').failing(Failure.NEVER));
                talk.sometime(40);
            }
            talk.send(talk.message(talk.chance(80) ? 'c' : 'f').failing(Failure.NEVER));
            talk.sometime(40);
        }
        if (blind && talk.direct.inCopyIn()) {
            // A CopyFail ends all copies, and a stray end is no end: whatever is still open is ended now.
            talk.finish();
            while (talk.direct.inCopyIn()) {
                talk.send(talk.message('c').failing(Failure.NEVER));
                talk.finish();
            }
        }
    }

    @Test
    void shouldNeverCallItselfSettledTooEarlyWhateverTheClientSends() { // checklist 68
        int followed = 0;
        for (long seed = 0; seed < CONVERSATIONS; seed++) {
            Conversation talk = new Conversation(seed);
            int length = 1 + talk.random.nextInt(LONGEST);
            for (int i = 0; i < length && !talk.server.dead; i++) {
                if (talk.owed.settled() && talk.chance(20)) {
                    talk.ownCycle();
                }
                talk.send(talk.message(anyOf(talk.random, "PBBDEEECSSSQQFHhddccf")));
                talk.sometime(60);
            }
            talk.finish();
            if (talk.server.dead || talk.direct.dead) {
                assertThat(talk.owed.settled()).as("%s", talk.history).isFalse();
            } else if (!talk.owed.lost()) {
                assertThat(talk.owed.settled())
                        .as("%s", talk.history)
                        .isEqualTo(talk.server.quiet() && talk.direct.nothingOpen());
                followed++;
            }
        }
        assertThat(followed).as("conversations that were followed to the end").isGreaterThan(CONVERSATIONS / 4);
    }
}
