package org.pgporter.auth.hba;

import java.util.List;

/// Whether one rule takes every connection that a later one could. Says yes only where that is certain, and
/// looks at one earlier rule at a time: several that do it together are not seen.
final class Shadows {
    private Shadows() {}

    static boolean covers(CompiledRule earlier, CompiledRule later) {
        return earlier.type().covers(later.type())
                && (later.type() == ConnectionType.LOCAL || coversClients(earlier.client(), later.client()))
                && later.databases().stream().allMatch(test -> coversDatabase(earlier.databases(), test))
                && later.users().stream().allMatch(test -> coversUser(earlier.users(), test));
    }

    private static boolean coversClients(ClientTest earlier, ClientTest later) {
        return switch (earlier) {
            case ClientTest.Anywhere _ -> true;
            case ClientTest.SameHost _ -> later instanceof ClientTest.SameHost;
            case ClientTest.SameNet _ -> later instanceof ClientTest.SameHost || later instanceof ClientTest.SameNet;
            case ClientTest.Within(var range) -> later instanceof ClientTest.Within(var other) && range.covers(other);
            // A name that cannot be looked up leaves it open whether it fits.
            case ClientTest.Named named -> later.equals(named);
        };
    }

    private static boolean coversDatabase(List<NameTest> earlier, NameTest later) {
        if (later instanceof NameTest.Replication) {
            return earlier.contains(later);
        }
        return covers(earlier, later);
    }

    private static boolean coversUser(List<NameTest> earlier, NameTest later) {
        return covers(earlier, later);
    }

    private static boolean covers(List<NameTest> earlier, NameTest later) {
        return earlier.stream().anyMatch(test -> switch (test) {
            case NameTest.All _ -> true;
            case NameTest.Matching(var regex) ->
                test.equals(later)
                        || (later instanceof NameTest.Name(var name)
                                && regex.find(name) instanceof NameRegex.Found.Yes);
            case NameTest.Name _, NameTest.MemberOf _, NameTest.SameRole _, NameTest.SameUser _ -> test.equals(later);
            case NameTest.Replication _ -> false;
        });
    }
}
