package org.pgporter.node.authquery;

import java.util.concurrent.atomic.LongAdder;

/// What has been counted of the lookups and logins of one database.
final class LookupCounters {
    final LongAdder queries = new LongAdder();
    final LongAdder errors = new LongAdder();
    final LongAdder parametersDropped = new LongAdder();
    final LongAdder successes = new LongAdder();
    final LongAdder failures = new LongAdder();
}
