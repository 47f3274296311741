package org.pgporter.node.admin;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Numbers for sessions and connections, which have names: `3-17` is the 17th client of event loop 3.
///
/// @param loops how many event loops there are
record ClientIds(int loops) {
    private static final Pattern SESSION = Pattern.compile("(\\d{1,9})-(\\d{1,18})");
    private static final Pattern SERVER = Pattern.compile("[a-z]+-(\\d+)-\\d+/backend-\\d+-(\\d+)");

    /// Of a client; the same number means another client after two billion of them.
    int of(String session) {
        Matcher name = SESSION.matcher(session);
        return name.matches() ? positive(Long.parseLong(name.group(2)) * loops + Integer.parseInt(name.group(1))) : 0;
    }

    /// Of a server connection: those of one pool count up.
    int ofServer(String name) {
        Matcher parts = SERVER.matcher(name);
        return parts.matches()
                ? positive(Long.parseLong(parts.group(1)) * 1_000_000 + Long.parseLong(parts.group(2)))
                : 0;
    }

    /// The session that is meant by a number, or by its name.
    Optional<String> session(String client) {
        if (SESSION.matcher(client).matches()) {
            return Optional.of(client);
        }
        if (!client.matches("\\d{1,10}")) {
            return Optional.empty();
        }
        long id = Long.parseLong(client);
        return Optional.of(id % loops + "-" + id / loops);
    }

    private static int positive(long number) {
        return (int) (number & Integer.MAX_VALUE);
    }
}
