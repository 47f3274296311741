package org.pgporter.soak;

import static org.pgporter.protocol.message.TransactionStatus.FAILED;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.CopyFail;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.support.RawClient;

/// What a session asks that leaves nothing behind. Each question has a token that no other has, of this session or of
/// another, and its answer must bring it back.
final class Questions {
    private static final int ROWS_OF_A_PORTAL = 7;

    private final Talk talk;
    private final RawClient client;
    private final RandomGenerator random;
    private final Tally tally;
    private final String session;
    private int asked;

    /// @param session a name that no other session of the soak has
    Questions(Talk talk, RawClient client, RandomGenerator random, Tally tally, String session) {
        this.talk = talk;
        this.client = client;
        this.random = random;
        this.tally = tally;
        this.session = session;
    }

    String token() {
        return session + "/" + asked++;
    }

    /// Takes note of an answer that must bring these tokens.
    void brings(List<String> tokens, List<List<String>> rows) {
        talk.expects(tokens, rows.stream().map(List::getFirst).toList(), "tokens of the answer");
        tokens.forEach(_ -> tally.answered());
    }

    private static FrontendMessage[] unnamed(String sql, String... values) {
        return new FrontendMessage[] {
            new Parse("", sql, List.of()),
            RawClient.bind("", "", values),
            new Describe(Target.PORTAL, ""),
            new Execute("", 0),
            new Sync()
        };
    }

    void simple() throws Disturbed {
        String first = token();
        String second = token();
        brings(List.of(first, second), talk.query("select '" + first + "'; select '" + second + "'"));
    }

    void extended() throws Disturbed {
        String token = token();
        talk.sends(unnamed("select $1::text", token));
        brings(List.of(token), talk.answer().rows());
    }

    /// Many questions before the first answer is read, some of which fail.
    void pipelined() throws Disturbed {
        int questions = 2 + random.nextInt(20);
        int failing = random.nextInt(2 * questions);
        List<FrontendMessage> batch = new ArrayList<>();
        List<String> tokens = new ArrayList<>();
        for (int i = 0; i < questions; i++) {
            tokens.add(token());
            batch.addAll(
                    i == failing
                            ? List.of(unnamed("select 1 / $1::int", "0"))
                            : List.of(unnamed("select $1::text", tokens.getLast())));
        }
        talk.sends(batch.toArray(FrontendMessage[]::new));
        for (int i = 0; i < questions; i++) {
            Talk.Answer answer = talk.answer();
            if (i == failing) {
                talk.expects(List.of("22012"), answer.errors(), "a question that fails in a pipeline");
            } else {
                talk.expects(List.of(), answer.errors(), "a question in a pipeline");
                brings(List.of(tokens.get(i)), answer.rows());
            }
        }
    }

    /// Questions with one Sync for all: an error skips what follows it.
    void skipped() throws Disturbed {
        String token = token();
        talk.sends(
                new Parse("", "select $1::text", List.of()),
                RawClient.bind("", "", token),
                new Execute("", 0),
                new Flush(),
                new Parse("", "select 1 / $1::int", List.of()),
                RawClient.bind("", "", "0"),
                new Execute("", 0),
                new Parse("", "select 'never'", List.of()),
                RawClient.bind("", ""),
                new Execute("", 0),
                new Sync());
        Talk.Answer answer = talk.answer();
        talk.expects(List.of("22012"), answer.errors(), "questions with one Sync");
        brings(List.of(token), answer.rows());
    }

    /// A portal that is read by portions, within a transaction.
    void portal() throws Disturbed {
        String token = token();
        talk.query("begin");
        talk.sends(
                new Parse("", "select $1::text, n from generate_series(1, 20) n", List.of()),
                RawClient.bind("walk", "", token),
                new Execute("walk", ROWS_OF_A_PORTAL),
                new Sync());
        brings(Collections.nCopies(ROWS_OF_A_PORTAL, token), talk.answer().rows());
        simple();
        talk.sends(new Execute("walk", ROWS_OF_A_PORTAL), new Sync());
        talk.expects(List.of(token, "14"), talk.answer().rows().getLast(), "the second portion of a portal");
        tally.answered();
        talk.query("commit");
    }

    /// Rows of the session's own in a table that all sessions share.
    void transaction() throws Disturbed {
        String kept = token();
        String lost = token();
        talk.query("begin");
        talk.query("insert into ledger values ('" + session + "', '" + kept + "')");
        talk.query("savepoint here");
        talk.query("insert into ledger values ('" + session + "', '" + lost + "')");
        if (random.nextBoolean()) {
            talk.fails("23505", "insert into ledger values ('" + session + "', '" + kept + "')");
            talk.fails("25P02", "select 1");
        }
        talk.query("rollback to here");
        boolean commits = random.nextBoolean();
        talk.query(commits ? "commit" : "rollback");
        List<List<String>> rows = talk.query("delete from ledger where session = '" + session + "' returning token");
        brings(commits ? List.of(kept) : List.of(), rows);
    }

    void copyIn() throws Disturbed {
        List<String> tokens = new ArrayList<>();
        talk.sends(new Query("copy ledger from stdin"));
        talk.expects(Optional.empty(), talk.answer().status(), "copy");
        int lines = 1 + random.nextInt(200);
        for (int i = 0; i < lines; i++) {
            tokens.add(token());
            talk.sends(new CopyData(Bytes.ofText(session + "\t" + tokens.getLast() + "\n")));
        }
        int outcome = random.nextInt(3);
        switch (outcome) {
            case 0 -> {
                talk.sends(new CopyFail("the application changes its mind"));
                talk.expects(List.of("57014"), talk.answer().errors(), "a COPY that the client ends");
            }
            case 1 -> {
                talk.sends(new CopyData(Bytes.ofText("one column only\n")), new CopyDone());
                talk.expects(List.of("22P04"), talk.answer().errors(), "a COPY with a broken line");
            }
            default -> {
                talk.sends(new CopyDone());
                talk.expects(List.of(), talk.answer().errors(), "a COPY");
            }
        }
        List<List<String>> rows = talk.query("with gone as (delete from ledger where session = '" + session
                + "' returning token)" + " select token from gone order by split_part(token, '/', 2)::int");
        brings(outcome == 2 ? tokens : List.of(), rows);
    }

    void copyOut() throws Disturbed {
        String token = token();
        int lines = 1 + random.nextInt(2_000);
        List<List<String>> rows =
                talk.query("copy (select '" + token + "' from generate_series(1, " + lines + ")) to stdout");
        talk.expects(lines, rows.size(), "lines of a COPY");
        talk.expects(List.of(List.of(token)), rows.stream().distinct().toList(), "tokens of a COPY");
        tally.answered();
    }

    void large() throws Disturbed {
        String token = token();
        int times = 1 + random.nextInt(50_000);
        String answer = talk.value("select repeat('" + token + "', " + times + ")");
        if (!answer.equals(token.repeat(times))) {
            throw talk.wrong("a large answer is not what was asked for");
        }
        tally.answered();
    }

    void wrong() throws Disturbed {
        talk.fails("42601", "selekt '" + token() + "'");
        talk.query("begin");
        talk.sends(unnamed("select $1::int", token()));
        Talk.Answer answer = talk.answer();
        talk.expects(List.of("22P02"), answer.errors(), "a value that is no number");
        talk.expects(Optional.of(FAILED), answer.status(), "the transaction");
        talk.sends(new Query("rollback; begin; select 1"));
        talk.expects(Optional.of(IN_TRANSACTION), talk.answer().status(), "the next transaction");
        talk.sends(new Query("commit"));
        talk.expects(Optional.of(IDLE), talk.answer().status(), "the end of the transaction");
        simple();
    }

    /// The request may come too late, or hit: then, and only then, the question is cancelled.
    void cancelled() throws Disturbed {
        String token = token();
        talk.sends(new Query("select '" + token + "' from pg_sleep(" + random.nextInt(20) / 1000.0 + ")"));
        client.cancel();
        Talk.Answer answer = talk.answer();
        if (answer.errors().isEmpty()) {
            brings(List.of(token), answer.rows());
        } else {
            talk.expects(List.of("57014"), answer.errors(), "a question that is cancelled");
        }
        simple();
    }
}
