package org.pgporter.node.pool;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Which pool of a database may open the next connection when all of them together are capped: the rules of
/// [DatabaseCoordinator], without actors and without a clock of its own. `P` names a pool. Times are nanoseconds of
/// one monotonic clock.
///
/// A slot is the leave to hold one connection, from before it is opened until it is closed, so the cap holds in
/// every burst. A pool claims one slot at a time. In this order claims are served:
///
/// 1. clients wait, and the pool has less than its share: what is guaranteed to it, at least one connection
/// 2. clients wait; the pool whose client has waited longest comes first
/// 3. nobody waits, the pool only wants its minimum; for this nothing is ever closed, nor is the reserve touched
///
/// Without a free slot, a claim of clients that have waited for `reserveTimeout` is served from the reserve. For the
/// others the other pools are pressed to offer a connection:
///
/// ```
///             a claim has no slot             all have answered, the offer that was idle longest
///   calm ───────────────────────────► pressed ──────────────────────────────────────────► evicting
///    ▲                                 │  ▲                                                   │
///    │  no claim, nothing to give back │  │ another claim is first: a new round               │
///    └─────────────────────────────────┘  └───────────────────────────────────────────────────┘
/// ```
///
/// Whoever is pressed goes on offering what becomes free, until relieved. One eviction serves one claim. When nobody
/// waits and the reserve is in use, the same round, with nobody who waits, collects what must be given back.
///
/// Mutable and confined to its coordinator.
final class DatabaseSlots<P> {
    /// @param number of this pool's claims, so that what crosses on the way is told apart
    /// @param waiting whether clients wait, since `since`
    record Claim(long number, boolean waiting, long since) {}

    /// Why pools are asked to offer a connection.
    ///
    /// @param since when the client that needs it began to wait; [Long#MAX_VALUE] when nobody does
    /// @param anyAge whether young connections must be offered, too
    record Pressure(long since, boolean anyAge) {}

    /// What a pool is told.
    sealed interface Decision<P> {
        P pool();
    }

    record Grant<P>(P pool, long claim) implements Decision<P> {}

    /// Offer a connection, or say that there is none. Answered likewise again after each [Evict] while it lasts.
    record Press<P>(P pool, long round, Pressure pressure) implements Decision<P> {}

    record Relieve<P>(P pool) implements Decision<P> {}

    /// Close what you have offered.
    record Evict<P>(P pool) implements Decision<P> {}

    /// Keep what you have offered.
    record Keep<P>(P pool) implements Decision<P> {}

    private final class Member {
        final P pool;
        final int guaranteed;
        int held;
        int leaving;

        @Nullable
        Claim claim;

        long lastGranted = -1;
        boolean pressed;
        boolean answered;

        @Nullable
        Long offer;

        Member(P pool, int guaranteed) {
            this.pool = pool;
            this.guaranteed = guaranteed;
        }

        boolean belowItsShare() {
            return held < Math.max(1, guaranteed);
        }
    }

    private record Wanted<P>(Optional<P> claimant, Pressure pressure) {}

    private static final Pressure NOBODY_WAITS = new Pressure(Long.MAX_VALUE, false);

    private final int limit;
    private final int reserve;
    private final long reserveTimeout;
    private final Map<P, Member> members = new LinkedHashMap<>();
    private int total;
    private int leaving;
    private long round;
    private @Nullable Wanted<P> current;

    /// @param limit slots, at least 1
    /// @param reserve slots above it
    /// @param reserveTimeout nanoseconds after which a client is served from the reserve
    DatabaseSlots(int limit, int reserve, long reserveTimeout) {
        this.limit = limit;
        this.reserve = reserve;
        this.reserveTimeout = reserveTimeout;
    }

    /// @param guaranteed slots that nobody can take from this pool
    void enrol(P pool, int guaranteed) {
        members.putIfAbsent(pool, new Member(pool, guaranteed));
    }

    /// Whether the pool takes part and has not ended.
    boolean knows(P pool) {
        return members.containsKey(pool);
    }

    /// A pool wants one slot more, or has news of the claim that it made.
    List<Decision<P>> claim(P pool, Claim claim, long now) {
        Member member = member(pool);
        if (claim.number() > member.lastGranted) {
            member.claim = claim;
        }
        return decide(now);
    }

    List<Decision<P>> withdraw(P pool, long number, long now) {
        Member member = member(pool);
        if (member.claim != null && member.claim.number() == number) {
            member.claim = null;
        }
        return decide(now);
    }

    /// A slot is free again: its connection has closed, or was never opened.
    List<Decision<P>> released(P pool, long now) {
        Member member = member(pool);
        member.held--;
        total--;
        List<Decision<P>> decisions = new ArrayList<>();
        if (member.leaving > 0) {
            member.leaving--;
            leaving--;
            // It was closed for somebody who waits, so the reserve that is in use stays in use.
            inOrder(true)
                    .filter(_ -> total < limit + reserve)
                    .findFirst()
                    .ifPresent(next -> decisions.add(grant(next)));
        }
        decisions.addAll(decide(now));
        return decisions;
    }

    /// @param idleSince since when the connection has been idle that the pool holds back until it hears
    List<Decision<P>> offered(P pool, long inRound, long idleSince, long now) {
        Member member = member(pool);
        if (inRound != round || !member.pressed) {
            return List.of(new Keep<>(pool));
        }
        member.answered = true;
        member.offer = idleSince;
        return decide(now);
    }

    List<Decision<P>> nothingToOffer(P pool, long inRound, long now) {
        Member member = member(pool);
        if (inRound == round && member.pressed) {
            member.answered = true;
        }
        return decide(now);
    }

    /// What the pool had offered was closed before it could be evicted.
    List<Decision<P>> notEvicted(P pool, long now) {
        Member member = member(pool);
        if (member.leaving > 0) {
            member.leaving--;
            leaving--;
        }
        return decide(now);
    }

    /// The pool has ended, and with it all its connections.
    List<Decision<P>> ended(P pool, long now) {
        Member member = members.remove(pool);
        if (member != null) {
            total -= member.held;
            leaving -= member.leaving;
        }
        return decide(now);
    }

    List<Decision<P>> timePassed(long now) {
        return decide(now);
    }

    /// When time alone changes something.
    OptionalLong nextDue() {
        return total < limit + reserve
                ? inOrder(true)
                        .mapToLong(member -> claimOf(member).since() + reserveTimeout)
                        .min()
                : OptionalLong.empty();
    }

    int held() {
        return total;
    }

    int held(P pool) {
        return member(pool).held;
    }

    // ---- who is next

    private List<Decision<P>> decide(long now) {
        List<Decision<P>> decisions = new ArrayList<>();
        for (Optional<Member> next = next(now); next.isPresent(); next = next(now)) {
            decisions.add(grant(next.get()));
        }
        press(decisions);
        return decisions;
    }

    private Optional<Member> next(long now) {
        if (total < limit) {
            return Stream.concat(inOrder(true), inOrder(false)).findFirst();
        }
        return total < limit + reserve
                ? inOrder(true)
                        .filter(member -> now - claimOf(member).since() >= reserveTimeout)
                        .findFirst()
                : Optional.empty();
    }

    private Stream<Member> inOrder(boolean waiting) {
        return members.values().stream()
                .filter(member -> member.claim != null && member.claim.waiting() == waiting)
                .sorted(Comparator.comparing((Member member) -> !member.belowItsShare())
                        .thenComparingLong(member -> claimOf(member).since()));
    }

    private Grant<P> grant(Member member) {
        member.lastGranted = claimOf(member).number();
        member.claim = null;
        member.held++;
        total++;
        return new Grant<>(member.pool, member.lastGranted);
    }

    // ---- pressure

    private void press(List<Decision<P>> decisions) {
        for (boolean evicted = true; evicted; ) {
            Wanted<P> wanted = wanted();
            if (!Objects.equals(wanted, current)) {
                endRound(decisions);
                current = wanted;
                round++;
            }
            if (wanted == null) {
                return;
            }
            for (Member member : members.values()) {
                boolean concerned = member.held > 0 && !wanted.claimant().equals(Optional.of(member.pool));
                if (concerned && !member.pressed) {
                    member.pressed = true;
                    decisions.add(new Press<>(member.pool, round, wanted.pressure()));
                }
            }
            evicted = evictOne(decisions);
        }
    }

    /// What pools must be pressed for: the first claim for which no connection leaves yet.
    private @Nullable Wanted<P> wanted() {
        List<Member> claims = inOrder(true).toList();
        if (!claims.isEmpty()) {
            if (leaving >= claims.size()) {
                return null;
            }
            Member claimant = claims.get(leaving);
            return new Wanted<>(
                    Optional.of(claimant.pool), new Pressure(claimOf(claimant).since(), claimant.belowItsShare()));
        }
        return total - leaving > limit ? new Wanted<>(Optional.empty(), NOBODY_WAITS) : null;
    }

    /// Evicts what was used least recently of all that is offered, as soon as all have answered.
    private boolean evictOne(List<Decision<P>> decisions) {
        if (members.values().stream().anyMatch(member -> member.pressed && !member.answered)) {
            return false;
        }
        Optional<Member> best = members.values().stream()
                .filter(member -> member.offer != null)
                .min(Comparator.comparingLong(member -> member.offer == null ? Long.MAX_VALUE : member.offer));
        best.ifPresent(member -> {
            member.offer = null;
            member.answered = false;
            member.leaving++;
            leaving++;
            decisions.add(new Evict<>(member.pool));
        });
        return best.isPresent();
    }

    private void endRound(List<Decision<P>> decisions) {
        for (Member member : members.values()) {
            if (member.offer != null) {
                member.offer = null;
                decisions.add(new Keep<>(member.pool));
            }
            if (member.pressed) {
                decisions.add(new Relieve<>(member.pool));
            }
            member.pressed = false;
            member.answered = false;
        }
    }

    private Member member(P pool) {
        Member member = members.get(pool);
        if (member == null) {
            throw new IllegalStateException("not a pool of this database: " + pool);
        }
        return member;
    }

    private Claim claimOf(Member member) {
        if (member.claim == null) {
            throw new IllegalStateException("no claim of " + member.pool);
        }
        return member.claim;
    }
}
