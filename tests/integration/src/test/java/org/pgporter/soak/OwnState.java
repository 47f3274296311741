package org.pgporter.soak;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.support.RawClient;

/// What a session leaves behind for itself, and expects to find again and nobody else to find: settings, prepared
/// statements, and what only its backend has.
final class OwnState {
    /// So many texts of statements are in use by all sessions together.
    private static final int TEXTS = 60;

    private static final int NAMES = 8;

    private final Talk talk;
    private final RawClient client;
    private final RandomGenerator random;
    private final Questions questions;
    private final Semaphore backendsToKeep;
    private final String session;
    private final int number;
    // What the session has set, by name; what is not here is as it was in the beginning.
    private final Map<String, String> settings = new TreeMap<>();
    private final Map<String, Integer> prepared = new HashMap<>();
    private final List<Kept> kept = new ArrayList<>();

    /// What binds the session to its backend.
    private enum Kept {
        LISTENS,
        HAS_A_TABLE,
        HAS_A_LOCK,
        HAS_A_CURSOR,
        HAS_A_STATEMENT
    }

    /// @param number of the session, unique
    /// @param backendsToKeep how many sessions may bind themselves to a backend at one time: the pool needs
    ///     the others
    OwnState(
            Talk talk,
            RawClient client,
            RandomGenerator random,
            Questions questions,
            Semaphore backendsToKeep,
            String session,
            int number) {
        this.talk = talk;
        this.client = client;
        this.random = random;
        this.questions = questions;
        this.backendsToKeep = backendsToKeep;
        this.session = session;
        this.number = number;
    }

    /// Must be called when the session ends, however it ends.
    void released() {
        if (!kept.isEmpty()) {
            kept.clear();
            backendsToKeep.release();
        }
    }

    // ---- settings

    void set() throws Disturbed {
        switch (random.nextInt(6)) {
            case 0 -> sets("application_name", "soak " + session + " " + random.nextInt(100), "set %s = '%s'");
            case 1 -> sets("work_mem", 64 + random.nextInt(900) + "kB", "set %s = '%s'");
            case 2 -> sets("soak.mine", questions.token(), "select set_config('%s', '%s', false)");
            case 3 -> {
                talk.query("begin; set work_mem = '99MB'; set soak.mine = 'rolled back'; rollback");
                looks();
            }
            case 4 -> {
                talk.query("begin; set local work_mem = '98MB'; set local soak.mine = 'local'; commit");
                looks();
            }
            default -> {
                talk.query("reset work_mem");
                settings.remove("work_mem");
            }
        }
    }

    private void sets(String name, String value, String how) throws Disturbed {
        talk.query(how.formatted(name, value));
        settings.put(name, value);
    }

    /// The session finds what it has set, and nothing that another one has left.
    void looks() throws Disturbed {
        List<List<String>> rows = talk.query("select current_setting('application_name'), current_setting('work_mem'),"
                + " coalesce(current_setting('soak.mine', true), ''), to_regclass('pg_temp.mine') is not null,"
                + " (select count(*) from pg_listening_channels()),"
                + " (select count(*) from pg_cursors where is_holdable),"
                + " (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory')");
        talk.expects(
                List.of(
                        settings.getOrDefault("application_name", session),
                        settings.getOrDefault("work_mem", "4MB"),
                        settings.getOrDefault("soak.mine", ""),
                        kept.contains(Kept.HAS_A_TABLE) ? "t" : "f",
                        kept.contains(Kept.LISTENS) ? "1" : "0",
                        kept.contains(Kept.HAS_A_CURSOR) ? "1" : "0",
                        kept.contains(Kept.HAS_A_LOCK) ? "1" : "0"),
                rows.getFirst(),
                "the session's own state");
        if (!kept.contains(Kept.LISTENS)) {
            talk.expects(List.of(), client.notifications(), "notifications for who does not listen");
        }
    }

    void discards() throws Disturbed {
        talk.query("discard all");
        settings.clear();
        prepared.clear();
        released();
        looks();
    }

    // ---- prepared statements

    /// Uses a statement under one of the session's names, several times in one write; prepares it if needed.
    void prepares() throws Disturbed {
        String name = "s" + random.nextInt(NAMES);
        List<FrontendMessage> batch = new ArrayList<>();
        Integer text = prepared.get(name);
        if (text == null) {
            text = random.nextInt(TEXTS);
            batch.add(new Parse(name, "select $1::text, " + text, List.of()));
        }
        List<String> tokens = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(4); i++) {
            tokens.add(questions.token());
            batch.add(RawClient.bind("", name, tokens.getLast()));
            batch.add(new Execute("", 0));
        }
        batch.add(new Sync());
        talk.sends(batch.toArray(FrontendMessage[]::new));
        Talk.Answer answer = talk.answer();
        talk.expects(List.of(), answer.errors(), "a prepared statement");
        prepared.put(name, text);
        questions.brings(tokens, answer.rows());
        String expected = text.toString();
        answer.rows().forEach(row -> talk.expects(expected, row.get(1), "the statement"));
    }

    void forgets() throws Disturbed {
        String name = "s" + random.nextInt(NAMES);
        if (random.nextBoolean()) {
            talk.sends(new Close(Target.STATEMENT, name), new Sync());
            talk.expects(List.of(), talk.answer().errors(), "Close");
        } else if (prepared.containsKey(name)) {
            talk.query("deallocate " + name);
        } else {
            talk.fails("26000", "deallocate " + name);
        }
        prepared.remove(name);
        talk.sends(RawClient.bind("", name, "x"), new Execute("", 0), new Sync());
        talk.expects(List.of("26000"), talk.answer().errors(), "a statement that is not there");
    }

    // ---- what only the session's backend has

    /// Takes one of these things, or gives one back that it has.
    void keeps() throws Disturbed {
        Kept what = Kept.values()[random.nextInt(Kept.values().length)];
        if (kept.contains(what)) {
            uses(what);
            if (random.nextBoolean()) {
                talk.query(givesBack(what));
                kept.remove(what);
                if (kept.isEmpty()) {
                    backendsToKeep.release();
                }
            }
        } else if (!kept.isEmpty() || backendsToKeep.tryAcquire()) {
            kept.add(what);
            talk.query(takes(what));
        }
        looks();
    }

    private String takes(Kept what) {
        return switch (what) {
            case LISTENS -> "listen channel_" + number;
            case HAS_A_TABLE -> "create temporary table mine as select '" + session + "' as owner";
            case HAS_A_LOCK -> "select pg_advisory_lock(" + number + ")";
            case HAS_A_CURSOR -> "declare held scroll cursor with hold for select '" + session + "'";
            case HAS_A_STATEMENT -> "prepare by_hand (text) as select $1, '" + session + "'";
        };
    }

    private void uses(Kept what) throws Disturbed {
        switch (what) {
            case LISTENS -> {
                String token = questions.token();
                client.notifications();
                talk.query("notify channel_" + number + ", '" + token + "'");
                List<NotificationResponse> heard = client.notifications();
                talk.expects(
                        List.of("channel_" + number + " " + token),
                        heard.stream()
                                .map(it -> it.channel() + " " + it.payload())
                                .toList(),
                        "notifications");
            }
            case HAS_A_TABLE -> talk.expects(session, talk.value("select owner from mine"), "a temporary table");
            case HAS_A_LOCK -> talk.expects("t", talk.value("select pg_try_advisory_lock(" + number + ")"), "a lock");
            case HAS_A_CURSOR -> talk.expects(session, talk.value("fetch first from held"), "a held cursor");
            case HAS_A_STATEMENT -> {
                String token = questions.token();
                talk.expects(
                        List.of(List.of(token, session)),
                        talk.query("execute by_hand ('" + token + "')"),
                        "a statement prepared with SQL");
            }
        }
    }

    private String givesBack(Kept what) {
        return switch (what) {
            case LISTENS -> "unlisten channel_" + number;
            case HAS_A_TABLE -> "drop table mine";
            case HAS_A_LOCK -> "select pg_advisory_unlock_all()";
            case HAS_A_CURSOR -> "close held";
            case HAS_A_STATEMENT -> "deallocate by_hand";
        };
    }
}
