package org.pgporter.node.backend;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// What PostgreSQL answers, as `PostgresMain` (postgres.c) and `CopyGetData` (copyfromparse.c) do: types only.
final class ModelServer {
    /// Where something goes wrong with a message.
    enum Failure {
        NEVER,
        /// Before any answer.
        AT_ONCE,
        /// Behind CopyInResponse, before the server reads any data: a trigger of the statement, say.
        BEFORE_DATA,
        ON_DATA,
        ON_DONE
    }

    /// @param type `O` is a whole cycle of ours
    /// @param copies how many times the server asks for COPY data
    /// @param renames its outcome is of interest
    record Message(char type, Failure failure, int copies, boolean renames, boolean prepares) {
        Message failing(Failure when) {
            return new Message(type, when, copies, renames, prepares);
        }
    }

    private static final Message NONE = new Message('-', Failure.NEVER, 0, false, false);

    final ArrayDeque<Message> unread = new ArrayDeque<>();
    final ArrayDeque<Character> unsent = new ArrayDeque<>();
    final List<Byte> outcomes = new ArrayList<>();
    final StringBuilder statements = new StringBuilder();

    boolean dead;
    private boolean skipping;
    private boolean cycleOpen;
    private Message copying = NONE;
    private int copiesLeft;

    boolean inCopyIn() {
        return copying != NONE;
    }

    /// It has nothing more to say and nothing open. What it will ignore may still be unread.
    boolean quiet() {
        return unsent.isEmpty()
                && unread.stream().allMatch(message -> "dcfH".indexOf(message.type()) >= 0)
                && nothingOpen();
    }

    boolean nothingOpen() {
        return !skipping && !cycleOpen && !inCopyIn() && !dead;
    }

    void readAll() {
        while (!unread.isEmpty()) {
            readOne();
        }
    }

    void readOne() {
        Message message = unread.remove();
        if (dead) {
            return;
        }
        if (inCopyIn()) {
            duringCopy(message);
            return;
        }
        switch (message.type()) {
            case 'S' -> {
                skipping = false;
                cycleOpen = false;
                say(message.failure() == Failure.AT_ONCE ? "EZ" : "Z");
            }
            case 'd', 'c', 'f', 'H' -> {}
            case 'h' -> { // a Flush with a body
                if (!skipping) {
                    cycleOpen = true;
                    fail(message);
                }
            }
            case 'O' -> say(message.failure() == Failure.AT_ONCE ? "1EZ" : "12CSZ");
            case 'Q', 'F' -> {
                if (skipping) {
                    note(message, false);
                    return;
                }
                cycleOpen = false;
                if (message.failure() == Failure.AT_ONCE) {
                    fail(message);
                } else if (message.copies() > 0) {
                    copiesLeft = message.copies();
                    startCopy(message);
                } else {
                    note(message, true);
                    say(message.type() == 'Q' ? "TCIZ" : "Z");
                }
            }
            default -> extended(message);
        }
    }

    private void extended(Message message) {
        if (skipping) {
            note(message, false);
            return;
        }
        cycleOpen = true;
        if (message.failure() == Failure.AT_ONCE) {
            fail(message);
        } else if (message.copies() > 0) {
            copiesLeft = 1;
            startCopy(message);
        } else {
            note(message, true);
            say(
                    switch (message.type()) {
                        case 'P' -> "1";
                        case 'B' -> "2";
                        case 'D' -> "T";
                        case 'E' -> "C";
                        case 'C' -> "3";
                        default -> throw new IllegalArgumentException(message.toString());
                    });
        }
    }

    private void startCopy(Message message) {
        say("G");
        copying = message;
        if (message.failure() == Failure.BEFORE_DATA) {
            fail(message);
        }
    }

    private void duringCopy(Message message) {
        Message copy = copying;
        switch (message.type()) {
            case 'd' -> {
                if (copy.failure() == Failure.ON_DATA) {
                    fail(copy);
                }
            }
            case 'c' -> {
                if (copy.failure() == Failure.ON_DONE) {
                    fail(copy);
                    return;
                }
                say("C");
                copiesLeft--;
                if (copiesLeft > 0) {
                    say("G");
                    return;
                }
                copying = NONE;
                note(copy, true);
                if (copy.type() == 'Q') {
                    say("Z");
                }
            }
            case 'f' -> fail(copy);
            case 'S', 'H', 'h' -> {} // CopyGetData ignores both
            default -> {
                say("E");
                dead = true; // protocol synchronization was lost
            }
        }
    }

    private void fail(Message message) {
        note(message, RepliesOwed.REFUSED, false);
        copying = NONE;
        say("E");
        if (message.type() == 'Q' || message.type() == 'F') {
            say("Z");
        } else {
            skipping = true;
        }
    }

    private void note(Message message, boolean happened) {
        note(message, happened ? RepliesOwed.CONFIRMED : RepliesOwed.DROPPED, happened);
    }

    private void note(Message message, byte outcome, boolean happened) {
        if (message.renames()) {
            outcomes.add(outcome);
        }
        if (message.prepares()) {
            statements.append(happened ? '+' : '-');
        }
    }

    private void say(String types) {
        types.chars().forEach(type -> unsent.add((char) type));
    }
}
