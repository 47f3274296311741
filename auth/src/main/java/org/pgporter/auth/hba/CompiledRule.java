package org.pgporter.auth.hba;

import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/// A rule with all that it asks for, and how often it has decided.
record CompiledRule(
        HbaRule rule,
        ConnectionType type,
        ClientTest client,
        List<NameTest> databases,
        List<NameTest> users,
        LongAdder matches) {

    Answer fits(Attempt attempt) {
        if (!type.fits(attempt.request())) {
            return Answer.NO;
        }
        return Answer.all(
                type == ConnectionType.LOCAL ? Answer.YES : ClientTest.fits(client, attempt),
                Answer.any(databases.stream().map(test -> NameTest.fitsDatabase(test, attempt))),
                Answer.any(users.stream().map(test -> NameTest.fitsUser(test, attempt))));
    }
}
