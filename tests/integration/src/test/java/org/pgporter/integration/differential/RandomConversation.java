package org.pgporter.integration.differential;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A conversation of one client that is made from a seed: transactions, statements, portals, COPY, errors, with Sync
/// and Flush anywhere, and sometimes what is no PostgreSQL at all. Equal seeds make equal conversations, in the text
/// that [ConversationReader] reads.
///
/// Some things are left to the tables: FunctionCall, and PREPARE in SQL, behind which PgPorter plans statements anew,
/// so
/// that a failed transaction has another error than in PostgreSQL; COPY from the client in the extended protocol, and a
/// Sync in COPY data, where nobody knows what the server has read when it fails (see `docs/limits.md`).
///
/// The client waits for answers only where it knows what will come: behind a Sync and a query of its own that is
/// empty, which is answered in every state of a session, so that its EmptyQueryResponse tells that everything before
/// it has been answered; and, all being answered, for the first word about a COPY or a Parse.
final class RandomConversation {
    private static final int FEWEST_SCENES = 3;
    private static final int MORE_SCENES = 12;
    private static final String[] NAMES = {"-", "s", "t", "\"a b\""};
    private static final String[] PORTALS = {"-", "-", "p", "q"};

    private static final String[] QUERIES = {
        "select 1",
        "select id, name from item order by id",
        "select count(*) from item",
        "insert into item values (%d)",
        "insert into item values (%d) returning id",
        "update item set name = 'n%d'",
        "delete from item where id = %d",
        "insert into later values (1)",
        "select 1/0",
        "selec",
        "select nothing",
        "select tell('n%d')",
        "begin",
        "begin",
        "commit",
        "rollback",
        "commit and chain",
        "savepoint a",
        "rollback to a",
        "release a",
        "declare c cursor for select generate_series(1, 9)",
        "fetch 2 from c",
        "close c",
        "set local lock_timeout = '%ds'",
        "set application_name = 'n%d'",
        "show application_name",
        "reset application_name",
        "begin; insert into item values (%d); commit",
        "insert into item values (%d); select 1/0",
        "select 1; select 2",
        "begin; select 1",
        "commit; select 1",
        "select '{large*3000}'",
        "select generate_series(1, 200)",
        "deallocate all",
        "discard all",
        "discard temp",
        "deallocate s"
    };

    private static final String[] STATEMENTS = {
        "select $1::int4",
        "select $1::text, $2::text",
        "select generate_series(1, 7)",
        "select id from item order by id",
        "insert into item values ($1)",
        "insert into item values (%d)",
        "select 1/0",
        "select nothing",
        "selec",
        "begin",
        "commit",
        "rollback",
        "savepoint a",
        "rollback to a",
        "copy (select generate_series(1, 3)) to stdout",
        "select tell('n%d')",
        "select 'n%d'",
        "deallocate all",
        "set local lock_timeout = '%ds'",
        "fetch 1 from c",
        "insert into later values (1)"
    };

    private static final String[] NONSENSE = {
        "frame 42 'no end'",
        "frame 50 'no end'",
        "frame 44 'X'",
        "frame 43 'Sx'",
        "frame 48 'body'",
        "frame 53 'body'",
        "frame 51 'no end'",
        "frame 45 'x' 00"
    };

    private final Random random;
    private final List<String> lines = new ArrayList<>();

    /// Names of statements that were changed since everything was answered, and in which cycle. Behind the end of that
    /// cycle PgPorter cannot know what they mean, which is a documented deviation: so nothing says them there.
    private final Map<String, Integer> changed = new HashMap<>();
    private int cycle;

    /// Whether the unnamed portal has been bound in this cycle. PostgreSQL up to 18 crashes when one executes the
    /// unnamed portal that a failed Query has left behind, so nobody does.
    private boolean unnamedPortal;

    private RandomConversation(long seed) {
        random = new Random(seed);
    }

    static Conversation of(long seed) {
        var made = new RandomConversation(seed);
        for (int i = FEWEST_SCENES + made.random.nextInt(MORE_SCENES); i > 0; i--) {
            made.scene();
        }
        var text = "conversation made from seed " + seed + "\n" + String.join("\n", made.lines);
        return ConversationReader.read("seed " + seed, text).getFirst();
    }

    /// How the bytes of this conversation are cut.
    static Delivery delivery(long seed) {
        var all = Delivery.values();
        return all[(int) Math.floorMod(seed, (long) all.length)];
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private String one(String... of) {
        return of[random.nextInt(of.length)].replace("%d", Integer.toString(random.nextInt(9)));
    }

    private void say(String... messages) {
        for (var message : messages) {
            var words = message.split(" (?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)");
            switch (words[0]) {
                case "Parse" -> {
                    uses(words[1]);
                    changed.put(words[1], cycle);
                }
                case "Bind" -> {
                    uses(words[2]);
                    unnamedPortal |= words[1].equals("-");
                }
                case "Execute" -> {
                    if (words[1].equals("-") && !unnamedPortal) {
                        continue;
                    }
                }
                case "Describe", "Close" -> {
                    if (words[1].equals("S")) {
                        uses(words[2]);
                        changed.put(words[2], cycle);
                    } else if (words[2].equals("-") && !unnamedPortal) {
                        continue;
                    }
                }
                default -> {}
            }
            var changesAll = message.contains("deallocate") || message.contains("discard");
            if (changesAll) {
                List.of(NAMES).forEach(this::uses);
            }
            // Each name has texts of its own: of two names for one text PgPorter tells the last in an error of Bind.
            lines.add(words[0].equals("Parse") ? message + " -- " + words[1] : message);
            if (changesAll) {
                List.of(NAMES).forEach(it -> changed.put(it, cycle));
            }
            if (words[0].equals("Query")) {
                changed.put("-", cycle);
            }
            if (List.of("Query", "Sync", "FunctionCall").contains(words[0])) {
                cycle++;
                unnamedPortal = false;
            }
        }
    }

    private void uses(String name) {
        if (changed.getOrDefault(name, cycle) != cycle) {
            pause();
        }
    }

    private void scene() {
        switch (random.nextInt(11)) {
            case 0, 1, 2 -> queries();
            case 3, 4, 5, 6, 7 -> pipeline();
            case 8 -> copyIn();
            case 9 -> say(one("CopyData 1\\n", "CopyDone", "CopyFail no", "Flush", "Sync"));
            default -> {
                if (chance(25)) {
                    say(one(NONSENSE));
                } else if (chance(3)) {
                    pause(); // what is owed before it is lost in PgPorter
                    say("raw 21 00000004");
                } else {
                    say("Query " + one(QUERIES));
                }
            }
        }
        if (chance(60)) {
            pause();
        } else if (chance(30)) {
            say("write");
        }
    }

    /// Everything has been answered, or the connection is closed.
    private void pause() {
        lines.addAll(List.of("Sync", "Query", "await I", "await Z"));
        changed.clear();
        unnamedPortal = false;
    }

    private void queries() {
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            say("Query " + one(QUERIES));
        }
    }

    private void pipeline() {
        for (int i = 1 + random.nextInt(10); i > 0; i--) {
            message();
        }
        if (chance(85)) {
            say("Sync");
        }
    }

    private void message() {
        var name = one(NAMES);
        var portal = one(PORTALS);
        switch (random.nextInt(20)) {
            case 0, 1, 2 -> say("Parse " + name + types() + " : " + one(STATEMENTS));
            case 3, 4, 5 -> say("Bind " + portal + " " + name + values());
            case 6, 7, 8 -> say("Execute " + portal + one("", "", " 1", " 3"));
            case 9, 10, 11, 12 ->
                say(
                        "Parse " + name + types() + " : " + one(STATEMENTS),
                        "Bind " + portal + " " + name + values(),
                        "Execute " + portal + one("", "", " 2"));
            case 13 -> say("Describe P " + portal);
            case 14 -> say("Describe S " + name);
            case 15 -> say("Close S " + name);
            case 16 -> say("Close P " + portal);
            case 17 -> say("Flush");
            case 18 -> say("Sync");
            default -> {
                if (chance(20)) {
                    say("Query " + one(QUERIES));
                } else if (chance(20)) {
                    say(one("CopyData 7\\n", "CopyDone", "CopyFail no"));
                } else {
                    say("write");
                }
            }
        }
    }

    private String types() {
        return one("", "", "", " int4", " text,text");
    }

    private String values() {
        return one(
                "", "", " 1", " 1", " %d", " a b", " null", " x", " {v*2000}", " x:00000001 formats=1", " 1 results=1");
    }

    private void copyIn() {
        if (chance(50)) {
            pause();
            say("Query "
                    + one(
                            "copy item (id) from stdin",
                            "copy item (id) from stdin; select 1",
                            "copy item from nowhere"));
            say("await G|Z");
        } else {
            say("Query copy item (id) from stdin");
        }
        for (int i = random.nextInt(5); i > 0; i--) {
            say(one(
                    "CopyData %d\\n",
                    "CopyData %d\\n", "CopyData 10%d\\n11%d\\n", "CopyData word\\n", "Flush", "write"));
        }
        say(one("CopyDone", "CopyDone", "CopyFail no"));
    }
}
