package org.pgporter.node.session;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// Counts client connections against their limits: of the node, of each database, of each user of a database.
/// Each admission is a [Place] that is given back once, however often and from wherever that is tried. Safe
/// to use from every thread.
public final class ConnectionLimits {
    private final Counter total;
    private final Counter strangers = new Counter();
    private final Counter reserve = new Counter();
    private final ConcurrentHashMap<Object, Counter> counters = new ConcurrentHashMap<>();

    private record OfDatabase(String database) {}

    private record OfUser(String database, String user) {}

    private static final class Counter {
        final AtomicInteger count = new AtomicInteger();

        /// Zero: no limit.
        Place take(int limit) {
            // Never above the limit, not even for a moment: somebody else would be refused a place that is free.
            int before = count.getAndUpdate(now -> limit > 0 && now >= limit ? now : now + 1);
            return limit > 0 && before >= limit ? Place.NONE : new Place(this);
        }
    }

    /// A place among the connections that are counted.
    public static final class Place {
        /// There was none left.
        static final Place NONE = new Place(null);

        private final @org.jspecify.annotations.Nullable Counter counter;
        private final AtomicBoolean givenBack = new AtomicBoolean();

        private Place(@org.jspecify.annotations.Nullable Counter counter) {
            this.counter = counter;
        }

        public boolean granted() {
            return counter != null;
        }

        /// Only the first call counts.
        public void giveBack() {
            if (counter != null && givenBack.compareAndSet(false, true)) {
                counter.count.decrementAndGet();
            }
        }
    }

    private final int maxConnections;
    private final int maxStrangers;
    private final int reserved;
    private final LongAdder strangersRefused = new LongAdder();

    /// @param maxConnections of the node, at least 1; as many strangers are let in
    public ConnectionLimits(int maxConnections) {
        this(maxConnections, 0, 0);
    }

    /// @param maxConnections of the node, at least 1
    /// @param maxStrangers of these who have not logged in yet; 0: as many as `maxConnections`
    /// @param reserved above `maxConnections`, for those who look after the node
    public ConnectionLimits(int maxConnections, int maxStrangers, int reserved) {
        this.total = new Counter();
        this.maxConnections = maxConnections;
        this.maxStrangers = maxStrangers == 0 ? maxConnections : maxStrangers;
        this.reserved = reserved;
    }

    /// Of those who have connected and not yet proved who they are. They are many only when somebody wants to
    /// exhaust us, and each costs an actor and a stream until `client_login_timeout`.
    public Place ofStrangers() {
        Place place = strangers.take(maxStrangers);
        if (!place.granted()) {
            strangersRefused.increment();
        }
        return place;
    }

    /// Connections that were closed because too many had not logged in, since the start.
    public long strangersRefused() {
        return strangersRefused.sum();
    }

    /// One of the places that are kept for when the node is full. Only for who has proved that he may have it.
    public Place ofReserve() {
        return reserved == 0 ? Place.NONE : reserve.take(reserved);
    }

    public Place ofNode() {
        return total.take(maxConnections);
    }

    public Place ofDatabase(String database, int limit) {
        return counters.computeIfAbsent(new OfDatabase(database), _ -> new Counter())
                .take(limit);
    }

    public Place ofUser(String database, String user, int limit) {
        return counters.computeIfAbsent(new OfUser(database, user), _ -> new Counter())
                .take(limit);
    }

    /// Connections counted for the node at this moment.
    public int connections() {
        return total.count.get() + reserve.count.get();
    }

    /// Everything that is counted, for tests and statistics: zero when nobody is connected.
    public int allCounts() {
        return total.count.get()
                + strangers.count.get()
                + reserve.count.get()
                + counters.values().stream()
                        .mapToInt(counter -> counter.count.get())
                        .sum();
    }
}
