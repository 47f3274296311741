package org.pgporter.node.authquery;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.cluster.credential.UserLookups.Outcome;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.TransactionStatus;

class UserRowTest {
    private static final String MD5 = "md5" + "0".repeat(32);
    private static final String SCRAM =
            "SCRAM-SHA-256$4096:kPzfH3SYiSaBHvFvI6AN/w==$z4Q/VlFoiOmYwaUsa2zk51J8WyXU8KFy/rvAOE"
                    + "+0p+M=:jS7TrSruvXKx8WYbzTmS9HXNV4Gmws6/vq+bKbBMGls=";

    private final LongAdder dropped = new LongAdder();

    // ---- the secret

    @ParameterizedTest
    @CsvSource({"passwd", "password", "anything"})
    void shouldTakeTheSecretFromItsColumn(String column) {
        assertThat(read(List.of(column), row(SCRAM))).isEqualTo(known(SCRAM));
        assertThat(read(List.of(column), row(MD5))).isEqualTo(known(MD5));
    }

    @Test
    void shouldPreferPasswdAndIgnoreOtherColumns() {
        assertThat(read(List.of("usename", "password", "passwd", "more"), row("x", "md5broken", MD5, "y")))
                .isEqualTo(known(MD5));
        assertThat(read(List.of("usename", "password"), row("x", MD5))).isEqualTo(known(MD5));
    }

    @Test
    void shouldNotGuessAmongSeveralColumns() {
        assertThat(read(List.of("usename", "secret"), row("x", MD5))).isInstanceOf(Outcome.Failed.class);
        assertThat(read(List.of("usename", "secret"))).isInstanceOf(Outcome.Failed.class);
        assertThat(read(List.of())).isInstanceOf(Outcome.Failed.class);
    }

    @Test
    void shouldFindNobody() {
        assertThat(read(List.of("passwd"))).isEqualTo(new Outcome.Unknown());
        assertThat(read(List.of("passwd"), row(""))).isEqualTo(new Outcome.Unknown());
        assertThat(read(List.of("passwd"), new DataRow(List.of(Optional.empty()))))
                .isEqualTo(new Outcome.Unknown());
    }

    @Test
    void shouldNotChooseBetweenTwoRows() {
        assertThat(read(List.of("passwd"), row(MD5), row(MD5))).isInstanceOf(Outcome.Failed.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hunter2", "md5hunter2", "SCRAM-SHA-256$hunter2", "jwt-pkey-fpath:/hunter2"})
    void shouldTakeHashesOnlyAndRepeatNothing(String secret) {
        assertThat(read(List.of("passwd"), row(secret)))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        failed -> assertThat(failed.cause()).doesNotContain("hunter2"));
    }

    // ---- validity

    @ParameterizedTest
    @CsvSource({
        "2030-01-02 03:04:05+00, 2030-01-02T03:04:05Z",
        "2030-01-02 03:04:05.678901+00, 2030-01-02T03:04:05Z",
        "2030-01-02 03:04:05+05:30, 2030-01-01T21:34:05Z",
        "1890-01-02 03:04:05+00:53:28, 1890-01-02T02:10:37Z",
        "294276-12-31 00:00:00+00, +294276-12-31T00:00:00Z",
        "-infinity, 1970-01-01T00:00:00Z",
        "0044-03-15 12:00:00+00 BC, 1970-01-01T00:00:00Z",
    })
    void shouldReadUntilWhenAPasswordHolds(String text, Instant until) {
        for (String column : List.of("valuntil", "rolvaliduntil", "valid_until")) {
            assertThat(read(List.of("passwd", column), row(MD5, text)))
                    .isInstanceOfSatisfying(
                            Outcome.Known.class,
                            user -> assertThat(user.validUntil()).hasValue(until));
        }
    }

    @Test
    void shouldTakeInfinityAndNothingForEver() {
        assertThat(read(List.of("passwd", "valuntil"), row(MD5, "infinity"))).isEqualTo(known(MD5));
        assertThat(read(
                        List.of("passwd", "valuntil"),
                        new DataRow(List.of(Optional.of(Bytes.ofText(MD5)), Optional.empty()))))
                .isEqualTo(known(MD5));
    }

    /// What cannot be read must not hold for ever.
    @ParameterizedTest
    @ValueSource(strings = {"", "tomorrow", "2030-01-02", "2030-01-02 03:04:05", "2030-13-02 03:04:05+00", "1"})
    void shouldNotLetInWhoseValidityCannotBeRead(String text) { // checklist 30
        assertThat(read(List.of("passwd", "valuntil"), row(MD5, text))).isInstanceOf(Outcome.Failed.class);
    }

    // ---- settings

    @Test
    void shouldTakeSettingsAndDropWhatMustNotBe() {
        Outcome outcome = read(
                List.of("passwd", "startup_parameters"),
                row(
                        MD5,
                        "{\"work_mem\": \"8MB\", \"role\":\"postgres\", \"a b\":\"c\", \"geqo\":false,\"jit_above_cost\" : -1e3,"
                                + " \"app.x\": \"a\\\"\\u00e4\\n\", \"zero\": \"\\u0000\"}"));
        assertThat(outcome)
                .isInstanceOfSatisfying(
                        Outcome.Known.class,
                        user -> assertThat(user.startupParameters())
                                .isEqualTo(Map.of(
                                        "work_mem",
                                        "8MB",
                                        "geqo",
                                        "false",
                                        "jit_above_cost",
                                        "-1e3",
                                        "app.x",
                                        "a\"ä\n")));
        assertThat(dropped.sum()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{",
                "{}x",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":null}",
                "{\"a\":{}}",
                "{\"a\":\"b\",}",
                "{a:\"b\"}",
                "{\"a\":\"\\x\"}",
                "{\"a\":\"\\u12\"}",
                "{\"a\":01}",
                "{\"a\":\"b\" \"c\":\"d\"}"
            })
    void shouldDropSettingsThatAreNone(String text) {
        assertThat(read(List.of("passwd", "startup_parameters"), row(MD5, text)))
                .isEqualTo(known(MD5));
        assertThat(dropped.sum()).isEqualTo(1);
    }

    @Test
    void shouldDropTooManySettings() {
        assertThat(read(List.of("passwd", "startup_parameters"), row(MD5, "{\"app.x\":\"" + "x".repeat(5000) + "\"}")))
                .isEqualTo(known(MD5));
    }

    // ---- errors

    @Test
    void shouldPassAnErrorOnToTheOperator() { // checklist 30
        assertThat(answer(error("42P01", "relation does not exist")))
                .isEqualTo(new Outcome.Failed("PostgreSQL: 42P01 relation does not exist"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"22021", "22P05"})
    void shouldKnowNobodyWhoseNameTheServerCannotWrite(String sqlState) {
        assertThat(answer(error(sqlState, "invalid byte sequence"))).isEqualTo(new Outcome.Unknown());
    }

    @Test
    void shouldBearBrokenMessages() {
        ByteBuf broken = Unpooled.buffer().writeByte('D').writeInt(100).writeShort(7);
        assertThat(UserRow.read(broken, dropped)).isInstanceOf(Outcome.Failed.class);
        ByteBuf negative = Unpooled.buffer().writeByte('D').writeInt(-5);
        assertThat(UserRow.read(negative, dropped)).isInstanceOf(Outcome.Failed.class);
        assertThat(UserRow.read(Unpooled.EMPTY_BUFFER, dropped)).isInstanceOf(Outcome.Failed.class);
    }

    // ---- words

    private static ErrorResponse error(String sqlState, String message) {
        return ErrorResponse.of(Severity.ERROR, new SqlState(sqlState), message);
    }

    private Outcome read(List<String> columns, DataRow... rows) {
        List<BackendMessage> messages = new ArrayList<>();
        messages.add(RowDescription.ofText(columns.toArray(String[]::new)));
        messages.addAll(List.of(rows));
        return answer(messages.toArray(BackendMessage[]::new));
    }

    private Outcome answer(BackendMessage... messages) {
        ByteBuf bytes = Unpooled.buffer();
        for (BackendMessage message : messages) {
            message.encodeTo(bytes);
        }
        new ReadyForQuery(TransactionStatus.IDLE).encodeTo(bytes);
        return UserRow.read(bytes, dropped);
    }

    private static DataRow row(String... values) {
        return DataRow.ofText(values);
    }

    private static Outcome known(String secret) {
        return new Outcome.Known((HashedCredential) StoredCredential.parse(secret), Optional.empty(), Map.of());
    }
}
