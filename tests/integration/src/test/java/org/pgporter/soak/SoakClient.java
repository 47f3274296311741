package org.pgporter.soak;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.support.RawClient;

/// One session after the other, each with things to do by chance and left in a way by chance.
final class SoakClient implements Runnable {
    private static final int MOST_THINGS = 40;

    private final Soak soak;
    private final int number;
    private final Random random;
    private int sessions;

    /// What the clients of one soak share.
    ///
    /// @param numbers gives every session a number of its own
    /// @param backendsToKeep how many sessions may bind themselves to a backend at one time
    /// @param pauses where all clients wait for each other when there is a pause
    record Soak(
            String host,
            int port,
            String role,
            String password,
            Tally tally,
            AtomicInteger numbers,
            Semaphore backendsToKeep,
            Pauses pauses) {}

    /// Lets all clients leave their sessions at the same time.
    static final class Pauses {
        private final Phaser phaser = new Phaser(1);
        private volatile boolean wanted;
        private volatile boolean over;

        /// Returns when no client has a session. They wait until [#goesOn()].
        void begins() {
            wanted = true;
            phaser.arriveAndAwaitAdvance();
        }

        void goesOn() {
            wanted = false;
            phaser.arriveAndAwaitAdvance();
        }

        /// In a pause: instead of going on, the clients end.
        void ends() {
            over = true;
            goesOn();
        }
    }

    /// The client takes part in pauses from now on.
    SoakClient(Soak soak, int number, long seed) {
        this.soak = soak;
        this.number = number;
        this.random = new Random(seed + number);
        soak.pauses().phaser.register();
    }

    @Override
    public void run() {
        Pauses pauses = soak.pauses();
        while (!pauses.over) {
            if (pauses.wanted) {
                pauses.phaser.arriveAndAwaitAdvance();
                pauses.phaser.arriveAndAwaitAdvance();
            } else {
                session();
            }
        }
        pauses.phaser.arriveAndDeregister();
    }

    private void session() {
        String name = number + "." + sessions++;
        try (RawClient client = RawClient.connects(soak.host(), soak.port())) {
            if (random.nextInt(20) == 0) {
                leavesBeforeLogin(client);
            } else {
                converses(client, name);
            }
        } catch (Disturbed e) {
            soak.tally().disturbed(e.sqlState());
        } catch (RuntimeException | AssertionError e) {
            soak.tally().failed("session " + name + ": " + e.getMessage());
        }
    }

    /// Half of a startup packet, a wrong key for a cancel request, a wrong password.
    private void leavesBeforeLogin(RawClient client) {
        switch (random.nextInt(3)) {
            case 0 -> {
                soak.tally().left("in the middle of the startup packet");
                client.sendsRaw((byte) 0, (byte) 0, (byte) 1);
            }
            case 1 -> {
                soak.tally().left("with a wrong cancel key");
                client.sends(new CancelRequest(random.nextInt(1 << 20), Bytes.of(new byte[] {1, 2, 3, 4})));
            }
            default -> {
                soak.tally().left("with a wrong password");
                client.logsInExpectingError(soak.role(), "wrong", soak.role());
            }
        }
        if (random.nextBoolean()) {
            client.resets();
        }
    }

    private void converses(RawClient client, String name) throws Disturbed {
        Optional<ErrorResponse> refused =
                client.triesToLogIn(soak.role(), soak.password(), soak.role(), "application_name", name);
        if (refused.isPresent()) {
            String state = refused.get().sqlState().code();
            if (Disturbed.tellsOfLoss(state)) {
                throw new Disturbed(state, refused.get().message());
            }
            throw new AssertionError("refused: " + state + " " + refused.get().message());
        }
        Talk talk = new Talk(client);
        Questions questions = new Questions(talk, client, random, soak.tally(), name);
        OwnState state = new OwnState(
                talk,
                client,
                random,
                questions,
                soak.backendsToKeep(),
                name,
                soak.numbers().incrementAndGet());
        try {
            state.looks();
            for (int left = random.nextInt(MOST_THINGS); left > 0 && !soak.pauses().wanted; left--) {
                something(questions, state);
            }
            state.looks();
            leaves(client, talk, questions);
        } finally {
            state.released();
        }
    }

    private void something(Questions questions, OwnState state) throws Disturbed {
        int what = random.nextInt(100);
        if (what < 12) {
            did("simple", questions::simple);
        } else if (what < 24) {
            did("extended", questions::extended);
        } else if (what < 34) {
            did("pipelined", questions::pipelined);
        } else if (what < 38) {
            did("skipped", questions::skipped);
        } else if (what < 42) {
            did("portal", questions::portal);
        } else if (what < 50) {
            did("transaction", questions::transaction);
        } else if (what < 54) {
            did("copy in", questions::copyIn);
        } else if (what < 58) {
            did("copy out", questions::copyOut);
        } else if (what < 61) {
            did("large", questions::large);
        } else if (what < 66) {
            did("errors", questions::wrong);
        } else if (what < 68) {
            did("cancel", questions::cancelled);
        } else if (what < 75) {
            did("set", state::set);
        } else if (what < 86) {
            did("prepared", state::prepares);
        } else if (what < 89) {
            did("deallocate", state::forgets);
        } else if (what < 99) {
            did("kept on a backend", state::keeps);
        } else {
            did("discard", state::discards);
        }
    }

    private interface Thing {
        void happens() throws Disturbed;
    }

    private void did(String name, Thing thing) throws Disturbed {
        thing.happens();
        soak.tally().did(name);
    }

    /// Politely, or in the middle of something.
    private void leaves(RawClient client, Talk talk, Questions questions) throws Disturbed {
        int way = random.nextInt(10);
        String how = switch (way) {
            case 0 -> {
                talk.query("begin; select 1");
                yield "in a transaction";
            }
            case 1 -> {
                talk.sends(new Query("select repeat('x', 1000) from generate_series(1, 5000)"));
                yield "with an answer unread";
            }
            case 2 -> {
                talk.sends(new Query("copy ledger from stdin"));
                talk.answer();
                talk.sends(new CopyData(Bytes.ofText(questions.token())));
                yield "in a COPY";
            }
            case 3 -> {
                talk.sends(new Parse("", "select 1", List.of()), RawClient.bind("", ""), new Execute("", 0));
                yield "before Sync";
            }
            case 4 -> {
                talk.sends(new Query("begin"));
                client.sendsRaw((byte) 'Q', (byte) 0, (byte) 0, (byte) 1, (byte) 0, (byte) 's');
                yield "in the middle of a message";
            }
            case 5 -> {
                talk.sends(new Query("select pg_sleep(0.1)"));
                yield "while a query runs";
            }
            default -> "idle";
        };
        int end = random.nextInt(3);
        soak.tally()
                .left(how
                        + switch (end) {
                            case 0 -> {
                                client.resets();
                                yield ", with RST";
                            }
                            case 1 -> {
                                client.closes();
                                yield ", with FIN";
                            }
                            default -> {
                                if (way > 5) {
                                    client.terminates();
                                }
                                yield way > 5 ? ", with Terminate" : ", with FIN";
                            }
                        });
    }
}
