package org.pgporter.auth.hba;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The address field of a rule.
sealed interface ClientTest {
    record Anywhere() implements ClientTest {}

    record SameHost() implements ClientTest {}

    record SameNet() implements ClientTest {}

    record Within(AddressRange range) implements ClientTest {}

    /// @param pattern a host name, or the end of some if it begins with a dot
    record Named(String pattern) implements ClientTest {
        boolean fits(String name) {
            return pattern.startsWith(".")
                    ? name.toLowerCase(Locale.ROOT).endsWith(pattern.toLowerCase(Locale.ROOT))
                    : name.equalsIgnoreCase(pattern);
        }
    }

    static Answer fits(ClientTest test, Attempt attempt) {
        Optional<InetAddress> client = attempt.request().address();
        if (client.isEmpty()) {
            return Answer.NO;
        }
        return switch (test) {
            case Anywhere _ -> Answer.YES;
            case Within(var range) -> Answer.of(range.contains(client.get()));
            case Named named ->
                attempt.hostName(name -> name.filter(named::fits).isPresent());
            case SameHost _ -> attempt.networks(all -> any(all, range -> range.isAt(client.get())));
            case SameNet _ -> attempt.networks(all -> any(all, range -> range.contains(client.get())));
        };
    }

    private static boolean any(List<AddressRange> ranges, java.util.function.Predicate<AddressRange> fits) {
        return ranges.stream().anyMatch(fits);
    }
}
