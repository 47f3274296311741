package org.pgporter.integration.differential;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.pgporter.config.PoolMode;
import org.pgporter.integration.differential.Conversation.Await;
import org.pgporter.integration.differential.Conversation.AwaitClosed;
import org.pgporter.integration.differential.Conversation.Cancel;
import org.pgporter.integration.differential.Conversation.Deviation;
import org.pgporter.integration.differential.Conversation.Leave;
import org.pgporter.integration.differential.Conversation.Say;
import org.pgporter.integration.differential.Conversation.Step;
import org.pgporter.integration.differential.Conversation.Write;
import org.pgporter.protocol.message.Bytes;

/// Reads conversations from text, a line for each step.
///
/// ```
/// # A comment.
/// conversation E78 a portal goes on after PortalSuspended
///     setup insert into item select generate_series(1, 3)
///     startup application_name tester
///     deviates transaction: what the table in docs/limits.md says
///     Parse s int4 : select id from item where id > $1
///     Bind - s 0
///     Execute - 2
///     Sync
///     await Z
///     b> Query select 1
///     b> await Z
/// ```
///
/// A conversation may have `setup` (SQL of the superuser), `startup` (a parameter of the StartupMessage) and
/// `deviates`. The steps are messages, which [MessageText] describes, and:
///
/// ```
/// write           what was said so far goes out in a write of its own
/// await Z         reads until a message of this type has come; the client has then sent everything before
/// await G|Z       of one of these types
/// await Z*3       three times
/// await closed    reads until the server closes
/// cancel          sends a CancelRequest and waits until it has been taken
/// leave           closes the socket without a word
/// ```
///
/// `b>` in front says that it is the client b who does it; without it, it is the client a. A client logs in when
/// it first does something. `{word*3}` stands for `wordwordword` anywhere, `3 times Sync` for three messages. A
/// client that neither leaves nor sees the server close ends with a Sync and a query that marks the end.
final class ConversationReader {
    private static final Pattern REPEATED = Pattern.compile("\\{([^{}*]+)\\*(\\d+)}");
    private static final Pattern CLIENT = Pattern.compile("([a-z])> *(.*)");
    private static final Pattern AWAIT = Pattern.compile("await ([A-Za-z0-9|]+)(?:\\*(\\d+))?");
    private static final Pattern TIMES = Pattern.compile("(\\d+) times (.*)");

    private ConversationReader() {}

    /// All conversations of a text.
    ///
    /// @param origin where it comes from, for messages
    static List<Conversation> read(String origin, String text) {
        var found = new ArrayList<Conversation>();
        Draft draft = null;
        var number = 0;
        for (var line : text.lines().toList()) {
            number++;
            var stripped = line.strip();
            if (stripped.isEmpty() || stripped.startsWith("#")) {
                continue;
            }
            var where = origin + ":" + number;
            if (stripped.startsWith("conversation ")) {
                if (draft != null) {
                    found.add(draft.finished());
                }
                draft = new Draft(where, rest(stripped));
            } else if (draft == null) {
                throw new IllegalArgumentException(where + ": a step outside of a conversation");
            } else {
                try {
                    draft.line(stripped);
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
                }
            }
        }
        if (draft != null) {
            found.add(draft.finished());
        }
        return List.copyOf(found);
    }

    private static String rest(String line) {
        var blank = line.indexOf(' ');
        return blank < 0 ? "" : line.substring(blank + 1).strip();
    }

    private static String expanded(String line) {
        return REPEATED.matcher(line)
                .replaceAll(it ->
                        it.group(1).replace("\\", "\\\\").replace("$", "\\$").repeat(Integer.parseInt(it.group(2))));
    }

    private static final class Draft {
        private final String origin;
        private final String name;
        private final List<String> setup = new ArrayList<>();
        private final Map<String, String> startup = new LinkedHashMap<>();
        private final List<Deviation> deviations = new ArrayList<>();
        private final List<Step> steps = new ArrayList<>();
        private final List<String> source = new ArrayList<>();

        Draft(String origin, String name) {
            this.origin = origin;
            this.name = name;
        }

        Conversation finished() {
            if (steps.isEmpty()) {
                throw new IllegalArgumentException(origin + ": nobody says anything in this conversation");
            }
            return new Conversation(
                    origin,
                    name,
                    List.copyOf(setup),
                    Map.copyOf(startup),
                    List.copyOf(deviations),
                    List.copyOf(steps),
                    List.copyOf(source));
        }

        void line(String line) {
            source.add(line);
            var first = line.split(" ", 2)[0];
            switch (first) {
                case "setup" -> setup.add(rest(line));
                case "startup" -> {
                    var parts = rest(line).split(" ", 2);
                    startup.put(parts[0], parts.length == 1 ? "" : parts[1]);
                }
                case "deviates" -> deviates(rest(line));
                default -> {
                    var named = CLIENT.matcher(line);
                    if (named.matches()) {
                        step(named.group(1), named.group(2));
                    } else {
                        step("a", line);
                    }
                }
            }
        }

        private void deviates(String what) {
            var parts = what.split(": ", 2);
            if (parts.length != 2) {
                throw new IllegalArgumentException("a deviation needs a reason");
            }
            if (parts[0].equals("both")) {
                deviations.add(new Deviation(PoolMode.TRANSACTION, parts[1]));
                deviations.add(new Deviation(PoolMode.SESSION, parts[1]));
            } else {
                deviations.add(new Deviation(PoolMode.valueOf(parts[0].toUpperCase(Locale.ROOT)), parts[1]));
            }
        }

        private void step(String client, String what) {
            var await = AWAIT.matcher(what);
            if (what.equals("write")) {
                steps.add(new Write(client));
            } else if (what.equals("await closed")) {
                steps.add(new AwaitClosed(client));
            } else if (await.matches()) {
                var types = String.join("", Arrays.asList(await.group(1).split("\\|")));
                steps.add(new Await(client, types, await.group(2) == null ? 1 : Integer.parseInt(await.group(2))));
            } else if (what.equals("cancel")) {
                steps.add(new Cancel(client));
            } else if (what.equals("leave")) {
                steps.add(new Leave(client));
            } else {
                say(client, what);
            }
        }

        private void say(String client, String what) {
            var times = TIMES.matcher(what);
            var one = times.matches() ? times.group(2) : what;
            var bytes = Bytes.of(MessageText.bytes(expanded(one)));
            for (int i = times.matches() ? Integer.parseInt(times.group(1)) : 1; i > 0; i--) {
                steps.add(new Say(client, bytes));
            }
        }
    }
}
