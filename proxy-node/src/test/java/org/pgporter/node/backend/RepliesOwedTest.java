package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.node.backend.RepliesOwed.Verdict;

/// Messages and replies are written as the letters of their types.
class RepliesOwedTest {
    private final StringBuilder statements = new StringBuilder();
    private final RepliesOwed owed = new RepliesOwed(new RepliesOwed.StatementEvents() {
        @Override
        public void prepared() {
            statements.append('+');
        }

        @Override
        public void describeEnded() {}

        @Override
        public void notPrepared() {
            statements.append('-');
        }
    });

    /// What the client sees.
    private final StringBuilder seen = new StringBuilder();

    private void send(String types) {
        for (byte type : types.getBytes(StandardCharsets.US_ASCII)) {
            owed.sent(type);
            drain();
        }
    }

    private void reply(String types) {
        for (byte type : types.getBytes(StandardCharsets.US_ASCII)) {
            if (owed.onReply(type) == Verdict.FORWARD) {
                seen.append((char) type);
            }
            drain();
        }
    }

    private void localParse() {
        owed.answerLocally((byte) '1', true);
        drain();
    }

    private void drain() {
        for (byte local = owed.nextLocalReply(); local != 0; local = owed.nextLocalReply()) {
            seen.append('(').append((char) local).append(')');
        }
    }

    @ParameterizedTest
    @CsvSource({"P,1", "B,2", "D,T", "D,n", "E,C", "E,I", "E,s", "C,3"})
    void shouldOweOneReplyForEachExtendedMessageAndStayOpenUntilItsSync(String message, String reply) {
        send(message);
        reply(reply);
        assertThat(owed.anythingOwed()).isFalse();
        assertThat(owed.settled()).as("the implicit transaction is open").isFalse();
        send("S");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
        assertThat(seen).hasToString(reply + "Z");
    }

    @ParameterizedTest
    @ValueSource(strings = {"S", "Q", "F"})
    void shouldOweReadyForQueryEvenAfterAnError(String message) {
        send(message);
        assertThat(owed.settled()).isFalse();
        reply("E");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"P", "B", "D", "E", "C"})
    void shouldSkipToSyncAfterAnErrorInAnExtendedMessage(String failing) { // checklist 69
        send(failing + "BDECS");
        reply("E");
        assertThat(owed.anythingOwed()).isTrue();
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldSkipWhatIsSentAfterTheErrorUntilSync() { // checklist 69
        send("P");
        reply("E");
        send("BDEQFcf");
        assertThat(owed.anythingOwed()).isFalse();
        assertThat(owed.settled()).isFalse();
        send("S");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
        assertThat(seen).hasToString("EZ");
    }

    @Test
    void shouldSkipASimpleQueryBetweenAFailedParseAndItsSync() {
        send("PQS");
        reply("E");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldAnswerASimpleQueryBetweenParseAndSync() { // checklist 68
        send("PQ");
        reply("1TCZ");
        assertThat(owed.settled()).isTrue();
        send("S");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldCountSeveralSyncs() {
        send("PBESPBESS");
        reply("12CZE");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldTakeAllResultsOfOneSimpleQuery() {
        send("Q");
        reply("TCTCIC");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
        assertThat(owed.lost()).isFalse();
    }

    @Test
    void shouldForgetWhatDescribeOfAStatementBeginsWith() {
        send("DS");
        reply("tTZ");
        assertThat(owed.settled()).isTrue();
    }

    // ---- COPY ------------------------------------------------------------------------------------------------

    @Test
    void shouldFollowSimpleCopyIn() {
        send("Q");
        reply("G");
        assertThat(owed.inCopyIn()).isTrue();
        send("ddc");
        assertThat(owed.inCopyIn()).isFalse();
        assertThat(owed.settled()).isFalse();
        reply("CZ");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldFollowTwoCopiesInOneQueryWhoseDataWasSentAhead() {
        send("Qdcdc");
        reply("GCG");
        assertThat(owed.inCopyIn()).isFalse();
        reply("CZ");
        assertThat(owed.settled()).isTrue();
        assertThat(owed.lost()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"c", "f"})
    void shouldKeepWaitingForSyncWhenAnExtendedCopyFails(String end) { // checklist 75
        send("BE");
        reply("2G");
        send("d" + end);
        reply("E");
        assertThat(owed.settled()).isFalse();
        send("S");
        reply("Z");
        assertThat(owed.settled()).isTrue();
        assertThat(owed.lost()).isFalse();
    }

    @Test
    void shouldKnowThatCopyEatsSync() {
        send("BE");
        reply("2G");
        send("dSdc");
        reply("C");
        assertThat(owed.settled()).as("that Sync ended nothing").isFalse();
        send("S");
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldKnowThatCopyEatsASyncThatWasSentBeforeItBegan() {
        send("BES");
        reply("2G");
        assertThat(owed.anythingOwed()).isTrue();
        send("dcS");
        reply("C");
        assertThat(owed.settled()).isFalse();
        reply("Z");
        assertThat(owed.settled()).isTrue();
        assertThat(owed.lost()).isFalse();
    }

    @Test
    void shouldNotTakeAnEatenSyncForTheEndOfTheCycle() {
        send("BESdc");
        reply("2GC");
        assertThat(owed.anythingOwed()).isFalse();
        assertThat(owed.settled()).as("the implicit transaction is open").isFalse();
        send("S");
        reply("Z");
        assertThat(owed.settled()).isTrue();
        send("Qdc");
        send("S");
        reply("GCZZ");
        assertThat(owed.settled()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Q", "E"})
    void shouldBeLostWhenACopyFailsThatMayHaveEatenASync(String copy) {
        send(copy);
        reply("G");
        send("S");
        reply("E");
        assertThat(owed.lost()).isTrue();
        reply("Z");
        assertThat(owed.settled()).isFalse();
    }

    @Test
    void shouldNotDoubtTheNextCycleWhenTheCopyThatAteASyncHasEnded() {
        send("Q");
        reply("G");
        send("Sc");
        reply("CZ");
        send("PS");
        reply("EZ");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldIgnoreAStrayCopyDoneAfterACopyThatFailedAtOnce() {
        send("Qdc");
        reply("EZ");
        assertThat(owed.settled()).isTrue();
        send("Qdc");
        reply("E");
        send("Q");
        reply("Z");
        assertThat(owed.settled()).isFalse();
        reply("TCZ");
        assertThat(owed.settled()).isTrue();
        send("c");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldEndCopyInWhenTheServerGivesUp() {
        send("Q");
        reply("GE");
        assertThat(owed.inCopyIn()).isFalse();
        send("dc");
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    // ---- turns that nobody can follow ------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"P", "B", "D", "E", "C", "Q", "F"})
    void shouldBeLostWhenACopyIsInterrupted(String message) {
        send("Q");
        reply("G");
        send(message);
        assertThat(owed.lost()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"P", "B", "D", "E", "C", "Q", "F"})
    void shouldBeLostWhenAnotherMessageFollowsACopyWithoutItsEnd(String message) {
        send("Q" + message);
        reply("G");
        assertThat(owed.lost()).isTrue();
    }

    @Test
    void shouldBeLostWhenAParseOfASharedStatementInterruptsACopy() {
        send("Q");
        reply("G");
        localParse();
        assertThat(owed.lost()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"B,1", "P,2", "P,3", "P,C", "P,Z", "S,1", "S,C", "Q,W"})
    void shouldBeLostWhenTheServerAnswersSomethingElse(String message, String reply) {
        send(message);
        reply(reply);
        assertThat(owed.lost()).isTrue();
        assertThat(seen).hasToString(reply);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2", "3", "C", "Z", "E"})
    void shouldBeLostWhenNothingWasAsked(String reply) {
        reply(reply);
        assertThat(owed.settled()).isFalse();
    }

    @Test
    void shouldStayLost() {
        reply("Z");
        send("Q");
        reply("CZ");
        assertThat(owed.settled()).isFalse();
    }

    @Test
    void shouldSkipToSyncAfterABrokenFlush() {
        owed.sentBrokenFlush();
        send("Q");
        assertThat(owed.settled()).isFalse();
        reply("E");
        assertThat(owed.settled()).as("the server ignores everything now").isFalse();
        send("S");
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldOweNothingForAFlush() {
        send("PHS");
        reply("1Z");
        assertThat(owed.settled()).isTrue();
    }

    // ---- what is ours ----------------------------------------------------------------------------------------

    @Test
    void shouldSwallowAnOwnCycleAtTheFront() {
        owed.startOwnCycle();
        assertThat(owed.inOwnCycle()).isTrue();
        send("Q");
        reply("12CSECTZ");
        assertThat(seen).isEmpty();
        assertThat(owed.inOwnCycle()).isFalse();
        assertThat(owed.settled()).isFalse();
        reply("CZ");
        assertThat(seen).hasToString("CZ");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldGiveLocalRepliesOnlyAfterTheOwnCycle() {
        owed.startOwnCycle();
        localParse();
        send("S");
        assertThat(seen).isEmpty();
        reply("Z");
        assertThat(seen).hasToString("(1)");
        reply("Z");
        assertThat(seen).hasToString("(1)Z");
    }

    @Test
    void shouldGiveLocalRepliesInOrder() {
        send("B");
        localParse();
        send("E");
        owed.answerLocally((byte) '3', true);
        send("S");
        reply("2CZ");
        assertThat(seen).hasToString("2(1)C(3)Z");
        assertThat(owed.drainOutcomes()).containsExactly(1, 1);
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldGiveALocalReplyAtOnceWhenNothingIsBeforeItAndStayOpen() {
        localParse();
        assertThat(seen).hasToString("(1)");
        assertThat(owed.settled()).isFalse();
    }

    @Test
    void shouldSkipLocalRepliesAfterAnError() {
        send("B");
        localParse();
        send("S");
        localParse();
        send("S");
        reply("EZZ");
        assertThat(seen).hasToString("EZ(1)Z");
        assertThat(owed.drainOutcomes()).containsExactly(0, 1);

        send("B");
        reply("E");
        localParse();
        assertThat(owed.drainOutcomes()).containsExactly(0);
        assertThat(seen).hasToString("EZ(1)ZE");
    }

    @Test
    void shouldSwallowTheAnswersToInjectedMessagesOnly() {
        owed.sentOwnClose();
        owed.sentParse(true);
        send("B");
        owed.sentParse(false);
        send("CS");
        reply("3121" + "3Z");
        assertThat(seen).hasToString("213Z");
        assertThat(statements).hasToString("++");
        assertThat(owed.drainOutcomes()).containsExactly(1);
    }

    @Test
    void shouldTellHowStatementsAndNamesFaredInOrder() {
        owed.sentParse(false);
        owed.sentParse(true);
        owed.sentRename((byte) 'C');
        owed.sentParse(false);
        reply("1E");
        owed.sentParse(false);
        assertThat(statements).hasToString("+---");
        assertThat(owed.drainOutcomes()).containsExactly(1, 0, 0, 0);
        assertThat(owed.drainOutcomes()).isEmpty();
        send("S");
        reply("Z");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldTellWhatASimpleQueryDidToTheUnnamedStatement() {
        owed.sentRename((byte) 'Q');
        reply("CZ");
        assertThat(owed.drainOutcomes()).containsExactly(1);
        send("P");
        owed.sentRename((byte) 'Q');
        reply("E");
        assertThat(owed.drainOutcomes()).containsExactly(0);
    }

    @Test
    void shouldHoldMoreThanItHasRoomForAtFirst() {
        send("B");
        for (int i = 0; i < 100; i++) {
            send("DE");
            localParse();
        }
        send("S");
        reply("2");
        for (int i = 0; i < 100; i++) {
            reply("TC");
        }
        reply("Z");
        assertThat(owed.settled()).isTrue();
        assertThat(seen.toString()).isEqualTo("2" + "TC(1)".repeat(100) + "Z");
        assertThat(owed.drainOutcomes()).hasSize(100);
    }

    @Test
    void shouldGiveUpTheRoomOfAFlood_checklist85() {
        for (int i = 0; i < 10_000; i++) {
            send("E");
        }
        assertThat(owed.room()).isGreaterThanOrEqualTo(10_000);
        for (int i = 0; i < 10_000; i++) {
            reply("C");
        }
        assertThat(owed.room()).isLessThan(2_000);
        send("EDS");
        reply("CTZ");
        assertThat(owed.settled()).isTrue();
    }

    @Test
    void shouldKnowThatSkippedNamesHaveTheirOutcome_checklist69() {
        send("P");
        reply("E");
        assertThat(owed.outcomesWait()).isFalse();
        localParse();
        assertThat(owed.outcomesWait()).isTrue();
        assertThat(owed.drainOutcomes()).containsExactly(RepliesOwed.DROPPED);
        assertThat(owed.outcomesWait()).isFalse();
    }
}
