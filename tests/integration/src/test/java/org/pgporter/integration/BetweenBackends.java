package org.pgporter.integration;

import static org.pgporter.integration.TwoBackends.Place.A;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.pgporter.config.PoolOptions;
import org.pgporter.integration.TwoBackends.Place;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// What tests of prepared statements need: a stage of two backends, and clients on it that have a twin at PostgreSQL.
abstract class BetweenBackends {
    static final TestPostgres POSTGRES = TestPostgres.shared();
    static final int INT4 = 23;
    static final int TEXT = 25;
    static final FrontendMessage SYNC = new Sync();
    static final FrontendMessage EXECUTE = new Execute("", 0);

    private final List<AutoCloseable> open = new ArrayList<>();
    private final String user;

    /// @param user whose database has the same name
    BetweenBackends(String user) {
        this.user = user;
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable it : open.reversed()) {
            it.close();
        }
        open.clear();
    }

    TwoBackends stage() {
        return stage(UnaryOperator.identity());
    }

    /// A stage of which A is free.
    TwoBackends stage(UnaryOperator<PoolOptions> change) {
        TwoBackends stage = TwoBackends.of(POSTGRES, user, user, change);
        open.add(stage);
        stage.free(A);
        return stage;
    }

    Twin twin(TwoBackends stage, String... parameters) {
        Twin twin = new Twin(
                stage.client(parameters),
                RawClient.connects(POSTGRES).logsIn(user, TwoBackends.PASSWORD, user, parameters));
        open.add(twin);
        return twin;
    }

    /// Whoever is served next gets the other backend.
    static void move(TwoBackends stage) {
        Place now = stage.onlyFree();
        stage.occupy(now);
        stage.free(now.other());
    }

    /// On A, on B, and on A again.
    static void onBoth(TwoBackends stage, Runnable play) {
        for (int round = 0; round < 3; round++) {
            play.run();
            move(stage);
        }
    }

    static Parse parse(String name, String sql, Integer... types) {
        return new Parse(name, sql, List.of(types));
    }

    static FrontendMessage bind(String statement, String... values) {
        return RawClient.bind("", statement, values);
    }

    static java.util.Optional<Bytes> value(String text) {
        return java.util.Optional.of(Bytes.ofText(text));
    }

    static List<String> said(RawClient client, FrontendMessage... messages) {
        return TwoBackends.answer(client.sends(messages));
    }

    static List<String> errors(List<BackendMessage> answers) {
        return answers.stream()
                .filter(ErrorResponse.class::isInstance)
                .map(error -> ((ErrorResponse) error).sqlState().code())
                .toList();
    }

    static List<String> rows(List<BackendMessage> answers) {
        return answers.stream()
                .filter(DataRow.class::isInstance)
                .map(row -> String.join(
                        "|",
                        ((DataRow) row)
                                .values().stream()
                                        .map(it -> it.orElseThrow().toText())
                                        .toList()))
                .toList();
    }
}
