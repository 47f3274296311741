package org.pgporter.node.backend;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Locale;

/// The parameter values that some backend of a pool has accepted, and what it made of them: PostgreSQL reports
/// `utf8` as `UTF8` and `postgres, mdy` as `Postgres, MDY`. A value that is known here can be set in the same
/// write as the query that needs it; another one is confirmed first. Bounded; safe to use from every thread.
public final class AcceptedValues {
    /// How many values are remembered; application names make this an open set.
    private static final int CAPACITY = 10_000;

    private record Written(String name, String value) {}

    private final Cache<Written, String> canonical =
            Caffeine.newBuilder().maximumSize(CAPACITY).build();

    /// The server took `written` for the parameter and calls it `reported`.
    public void accepted(String name, String written, String reported) {
        canonical.put(new Written(name.toLowerCase(Locale.ROOT), written), reported);
    }

    /// An application name can be anything, so it needs no confirmation.
    public static boolean alwaysAccepted(String name) {
        return name.equalsIgnoreCase("application_name");
    }

    public boolean knows(String name, String written) {
        return alwaysAccepted(name)
                || canonical.getIfPresent(new Written(name.toLowerCase(Locale.ROOT), written)) != null;
    }

    /// The server's spelling of a value, or the value itself when none is known.
    public String canonical(String name, String written) {
        String reported = canonical.getIfPresent(new Written(name.toLowerCase(Locale.ROOT), written));
        return reported == null ? written : reported;
    }
}
