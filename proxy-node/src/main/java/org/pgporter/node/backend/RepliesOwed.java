package org.pgporter.node.backend;

import java.util.Arrays;

/// What a backend still has to answer, in the order in which it was asked.
///
/// A counter would be wrong: after an error in an extended query the server skips everything up to the next
/// Sync, and while it reads COPY data it ignores Sync altogether (PostgreSQL's `ignore_till_sync` in
/// `postgres.c` and `CopyGetData` in `copyfromparse.c`). So each message that gets an answer has an entry in
/// a queue, and each answer takes the head away:
///
/// ```
/// sent          taken away by                  on ErrorResponse
/// Parse         ParseComplete                  dropped with everything up to the next Sync
/// Bind          BindComplete                   dropped likewise
/// Describe      RowDescription, NoData         dropped likewise
/// Execute       CommandComplete,               dropped likewise
///               EmptyQueryResponse,
///               PortalSuspended
/// Close         CloseComplete                  dropped likewise
/// Sync          ReadyForQuery                  stays
/// Query         ReadyForQuery                  stays
/// FunctionCall  ReadyForQuery                  stays
/// CopyDone/Fail nothing: ends copy-in, or is ignored by the server
/// broken Flush  nothing but an error             dropped likewise
/// own cycle     ReadyForQuery; everything before it is ours and is swallowed
/// local reply   given by us as soon as it reaches the head
/// ```
///
/// When the conversation takes a turn that cannot be followed with certainty, the queue is [#lost()]: it then
/// never claims to be settled, so the backend stays with its client and is closed afterwards.
///
/// Mutable and confined to the backend connection's thread.
final class RepliesOwed {
    /// What to do with the frame that was just shown to [#onReply].
    enum Verdict {
        FORWARD,
        SWALLOW
    }

    /// How the name change asked for by a Parse or Close ended, in the order in which they were sent.
    static final byte CONFIRMED = LeaseEvent.NAME_CONFIRMED;

    /// The server skipped it; the client's names stay as they were.
    static final byte DROPPED = 0;

    /// The server read it and answered with an error.
    static final byte REFUSED = LeaseEvent.NAME_REFUSED;

    private static final int TYPE = 0xff;
    private static final int OURS = 0x100; // swallow the answer
    private static final int LOCAL = 0x200; // answered by us, nothing was sent
    private static final int RENAMES = 0x400; // changes what the client's statement names mean
    private static final int PREPARES = 0x800; // carries a statement in `preparing`
    private static final int FORGETS = 0x1000; // a Query that changes names only if it succeeds
    private static final int FAILED = 0x2000; // that Query has met an error
    private static final int DESCRIBES = 0x4000; // a Describe whose answer is to be looked at
    private static final int RENEWED = 0x8000; // that Describe follows the client's own Parse
    private static final int OWN_CYCLE = 'O';
    private static final int BROKEN_FLUSH = 'H';

    private static final int ROOM_AT_FIRST = 16;

    /// Entries that there is room for between floods; a client may well have a million questions open, once.
    private static final int ROOM_KEPT = 1024;

    private int[] entries = new int[ROOM_AT_FIRST];
    private int head;
    private int size;

    private boolean cycleOpen;
    private boolean skipping;
    private boolean copyIn;
    private boolean lost;
    private boolean syncMayBeEaten;

    private byte[] outcomes = new byte[8];
    private int outcomeCount;

    private final StatementEvents statements;

    /// Told what became of the statements whose Parse was tracked with [#sentParse].
    interface StatementEvents {
        void prepared();

        void notPrepared();

        /// A Describe that was tracked with [#sentDescribe] has been answered, or refused or skipped.
        void describeEnded();
    }

    RepliesOwed(StatementEvents statements) {
        this.statements = statements;
    }

    /// The client sent a message of this type and it goes to the server as it is.
    void sent(byte type) {
        sent(type, 0);
    }

    /// The client's message changes the meaning of one of its statement names.
    void sentRename(byte type) {
        sent(type, RENAMES);
    }

    /// A Query goes to the server; `destroysUnnamed` and `forgetsNamed` say for which changes of the client's names
    /// there will be an outcome, in this order.
    void sentQuery(boolean destroysUnnamed, boolean forgetsNamed) {
        sent((byte) 'Q', (destroysUnnamed ? RENAMES : 0) | (forgetsNamed ? FORGETS : 0));
    }

    /// A Parse of a shared statement goes to the server; `ours` when the client did not ask for it now.
    void sentParse(boolean ours) {
        sentInCycle('P' | PREPARES | (ours ? OURS : RENAMES));
    }

    /// A Close of ours that the client knows nothing of.
    void sentOwnClose() {
        sentInCycle('C' | OURS);
    }

    /// A Parse of ours that is no statement of the client.
    void sentOwnParse() {
        sentInCycle('P' | OURS);
    }

    /// A Describe of a shared statement, of the client or our own, whose answer is to be looked at.
    ///
    /// @param renewed the client has just prepared it itself
    void sentDescribe(boolean ours, boolean renewed) {
        sentInCycle('D' | DESCRIBES | (ours ? OURS : 0) | (renewed ? RENEWED : 0));
    }

    /// Whether the next description from the server answers such a Describe.
    boolean describes() {
        return headIs('D') && (entries[head] & DESCRIBES) != 0;
    }

    /// Whether it does so for nobody but us.
    boolean describesForUs() {
        return describes() && (entries[head] & OURS) != 0;
    }

    /// Whether the client expects the rows that it was told of: it has not just prepared the statement anew.
    boolean describesForAnOldStatement() {
        return describesForUs() && (entries[head] & RENEWED) == 0;
    }

    /// A Flush with a body. A good one is never answered and needs no entry; this one is an error, after which
    /// the server skips to the next Sync.
    void sentBrokenFlush() {
        if (!copyIn) { // COPY ignores any Flush
            sentInCycle(BROKEN_FLUSH);
        }
    }

    /// Nothing is sent; the client is owed this reply when everything before it has been answered.
    void answerLocally(byte replyType, boolean renames) {
        sentInCycle(replyType | LOCAL | (renames ? RENAMES : 0));
    }

    /// A cycle of our own goes out, which ends with one ReadyForQuery. Only between the client's cycles.
    void startOwnCycle() {
        add(OWN_CYCLE | OURS);
    }

    private void sent(byte type, int flags) {
        switch (type) {
            case 'P', 'B', 'D', 'E', 'C' -> sentInCycle(type | flags);
            case 'S' -> {
                if (copyIn) {
                    syncMayBeEaten = true;
                    return;
                }
                cycleOpen = false;
                skipping = false;
                add(type);
            }
            case 'Q', 'F' -> {
                if (skipping) {
                    dropped(type | flags, DROPPED);
                    return;
                }
                if (copyIn) {
                    lost = true;
                    return;
                }
                cycleOpen = false;
                add(type | flags);
            }
            case 'c', 'f' -> {
                if (copyIn) {
                    copyIn = false;
                } else if (!skipping) {
                    add(type);
                }
            }
            default -> {}
        }
    }

    /// A message of the extended query protocol: it is answered in its turn, or skipped after an error.
    private void sentInCycle(int entry) {
        if (skipping) {
            dropped(entry, DROPPED);
            return;
        }
        if (copyIn) {
            lost = true;
        }
        cycleOpen = true;
        add(entry);
    }

    /// A frame of the server that is marked by the backend's decode policy.
    Verdict onReply(byte type) {
        if (size > 0 && (entries[head] & TYPE) == OWN_CYCLE) {
            if (type == 'Z') {
                take();
            }
            return Verdict.SWALLOW;
        }
        return switch (type) {
            case '1' -> answered('P');
            case '2' -> answered('B');
            case '3' -> answered('C');
            case 't' -> describesForUs() ? Verdict.SWALLOW : Verdict.FORWARD;
            case 'T', 'n' -> headIs('D') ? answered('D') : Verdict.FORWARD;
            case 'C', 'I', 's' -> {
                if (headIs('E')) {
                    yield answered('E');
                }
                if (!headIs('Q')) {
                    lost = true;
                }
                yield Verdict.FORWARD;
            }
            case 'G' -> {
                enterCopyIn();
                yield Verdict.FORWARD;
            }
            case 'W' -> {
                lost = true;
                yield Verdict.FORWARD;
            }
            case 'E' -> {
                onError();
                yield Verdict.FORWARD;
            }
            case 'Z' -> {
                if (headIs('S') || headIs('Q') || headIs('F')) {
                    copyIn = false;
                    take();
                } else {
                    lost = true;
                }
                if (lost) {
                    takeEverything(); // nobody can say what is still owed, and somebody may wait for the outcomes
                }
                yield Verdict.FORWARD;
            }
            default -> Verdict.FORWARD;
        };
    }

    /// The type of a reply that is ours to give now, or 0. Ask after each [#onReply] and after sending,
    /// until it is 0.
    byte nextLocalReply() {
        while (size > 0 && (entries[head] & TYPE) != OWN_CYCLE && isStrayCopyEnd(entries[head])) {
            take();
        }
        if (size == 0 || (entries[head] & LOCAL) == 0) {
            return 0;
        }
        return (byte) (take() & TYPE);
    }

    private static boolean isStrayCopyEnd(int entry) {
        return (entry & LOCAL) == 0 && ((entry & TYPE) == 'c' || (entry & TYPE) == 'f');
    }

    private void takeEverything() {
        while (size > 0) {
            take();
        }
    }

    private Verdict answered(int type) {
        if (!headIs(type)) {
            lost = true;
            return Verdict.FORWARD;
        }
        return (take() & OURS) != 0 ? Verdict.SWALLOW : Verdict.FORWARD;
    }

    private void enterCopyIn() {
        copyIn = true;
        // What follows the COPY in the queue was sent before we knew: Syncs up to CopyDone or CopyFail are
        // eaten by the server, other messages are errors whose consequences nobody can follow.
        while (size > 1 && copyIn) {
            int next = entries[(head + 1) & (entries.length - 1)] & TYPE;
            if (next == 'c' || next == 'f') {
                copyIn = false;
            } else if (next == 'S') {
                syncMayBeEaten = true;
            } else {
                lost = true;
                return;
            }
            removeSecond();
        }
        if (syncMayBeEaten) {
            cycleOpen = !endsWithACycle(); // the Sync that is eaten has closed nothing
        }
    }

    private boolean endsWithACycle() {
        for (int i = size - 1; i >= 0; i--) {
            int type = entries[(head + i) & (entries.length - 1)] & TYPE;
            if (type != 'c' && type != 'f') {
                return type == 'S' || type == 'Q' || type == 'F';
            }
        }
        return false;
    }

    private void onError() {
        if (size == 0) {
            // Nobody asked: a FATAL that closes the connection, or something that was not understood here.
            lost = true;
            return;
        }
        int type = entries[head] & TYPE;
        if (syncMayBeEaten) {
            // Did the server read that Sync as part of COPY or as the end of the error? Only it knows.
            lost = true;
            syncMayBeEaten = false;
        }
        copyIn = false;
        if (type == 'Q' || type == 'F' || type == 'S') {
            entries[head] |= FAILED;
            return;
        }
        byte fate = REFUSED; // of the first, which the error is about; the others are not even read
        while (size > 0 && (entries[head] & TYPE) != 'S') {
            dropped(entries[head], fate);
            fate = DROPPED;
            forget();
        }
        skipping = size == 0;
    }

    private void dropped(int entry, byte fate) {
        if ((entry & PREPARES) != 0) {
            statements.notPrepared();
        }
        if ((entry & DESCRIBES) != 0) {
            statements.describeEnded();
        }
        if ((entry & RENAMES) != 0) {
            outcome(fate);
        }
        if ((entry & FORGETS) != 0) {
            outcome(DROPPED);
        }
    }

    private boolean headIs(int type) {
        return size > 0 && (entries[head] & LOCAL) == 0 && (entries[head] & TYPE) == type;
    }

    private int take() {
        int entry = entries[head];
        if ((entry & PREPARES) != 0) {
            statements.prepared();
        }
        if ((entry & DESCRIBES) != 0) {
            statements.describeEnded();
        }
        if ((entry & RENAMES) != 0) {
            outcome(CONFIRMED);
        }
        if ((entry & FORGETS) != 0) {
            outcome((entry & FAILED) == 0 ? CONFIRMED : DROPPED);
        }
        if ((entry & TYPE) == 'E' || (entry & TYPE) == 'Q') {
            syncMayBeEaten = false;
        }
        forget();
        return entry;
    }

    private void forget() {
        head = (head + 1) & (entries.length - 1);
        size--;
        if (size == 0 && entries.length > ROOM_KEPT) {
            entries = new int[ROOM_AT_FIRST];
            head = 0;
        }
    }

    private void removeSecond() {
        int keep = entries[head];
        forget();
        entries[head] = keep;
    }

    private void add(int entry) {
        if (size == entries.length) {
            int[] larger = new int[entries.length * 2];
            for (int i = 0; i < size; i++) {
                larger[i] = entries[(head + i) & (entries.length - 1)];
            }
            entries = larger;
            head = 0;
        }
        entries[(head + size) & (entries.length - 1)] = entry;
        size++;
    }

    private void outcome(byte outcome) {
        if (outcomeCount == outcomes.length) {
            outcomes = Arrays.copyOf(outcomes, outcomeCount * 2);
        }
        outcomes[outcomeCount++] = outcome;
    }

    private static final byte[] NO_OUTCOMES = {};

    /// How the name changes ended since the last call, oldest first.
    byte[] drainOutcomes() {
        if (outcomeCount == 0) {
            return NO_OUTCOMES;
        }
        byte[] drained = Arrays.copyOf(outcomes, outcomeCount);
        outcomeCount = 0;
        if (outcomes.length > ROOM_KEPT) {
            outcomes = new byte[ROOM_AT_FIRST];
        }
        return drained;
    }

    /// There is something for [#drainOutcomes].
    boolean outcomesWait() {
        return outcomeCount > 0;
    }

    /// An own cycle is being answered: whatever the server sends now is for us.
    boolean inOwnCycle() {
        return size > 0 && (entries[head] & TYPE) == OWN_CYCLE;
    }

    /// There is nothing behind what is being answered.
    boolean onlyOneOwed() {
        return size == 1 && !cycleOpen && !skipping && !copyIn && !lost;
    }

    /// The server reads COPY data from the client.
    boolean inCopyIn() {
        return copyIn;
    }

    /// For how many replies there is room without asking for more memory.
    int room() {
        return entries.length;
    }

    /// Something was asked that has not been answered.
    boolean anythingOwed() {
        return size > 0;
    }

    /// The client has not sent the Sync yet that its last messages need: without it they are never settled.
    boolean awaitsSync() {
        return cycleOpen || skipping;
    }

    /// Something that was sent ends with a ReadyForQuery of its own: what the transaction status is behind it,
    /// nobody knows yet.
    boolean owesReadyForQuery() {
        for (int i = 0; i < size; i++) {
            int entry = entries[(head + i) & (entries.length - 1)];
            int type = entry & TYPE;
            if ((entry & LOCAL) == 0 && (type == 'S' || type == 'Q' || type == 'F')) {
                return true;
            }
        }
        return false;
    }

    /// Nobody can say any more what the server will answer.
    boolean lost() {
        return lost;
    }

    /// Every cycle is closed and answered: the backend may change hands if its transaction status allows it.
    boolean settled() {
        return size == 0 && !cycleOpen && !skipping && !copyIn && !lost;
    }
}
