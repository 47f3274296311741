package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.pgporter.node.sql.StateKind;

class FindingsTest {
    private static Findings found(List<List<String>> rows) {
        return Findings.of(new Inspection(StateKind.EVERY_KIND, true, List.of()), rows, "ann", "none");
    }

    @Test
    void shouldTakeWhatTheSessionHasSet() {
        assertThat(found(List.of(
                                List.of("p", "work_mem", "7MB"),
                                List.of("p", "search_path", ""),
                                List.of("p", "role", "shop"),
                                List.of("p", "session_authorization", "bob")))
                        .parameters())
                .containsOnlyKeys("work_mem", "search_path", "role", "session_authorization");
    }

    @Test
    void shouldNotTakeWhatIsAsAfterTheLogin() {
        assertThat(found(List.of(
                                List.of("p", "role", "none"),
                                List.of("p", "session_authorization", "ann"),
                                List.of("p", "app.tenant", "")))
                        .parameters())
                .isEmpty();
    }

    /// PostgreSQL lists them as set by the session after a `SET TRANSACTION`, and refuses to reset them.
    @Test
    void shouldNotTakeWhatBelongsToATransaction() {
        assertThat(found(List.of(
                                List.of("p", "transaction_isolation", "read committed"),
                                List.of("p", "transaction_read_only", "off"),
                                List.of("p", "TRANSACTION_DEFERRABLE", "off"),
                                List.of("p", "seed", "unavailable")))
                        .parameters())
                .isEmpty();
    }

    @Test
    void shouldTellTheKindsThatAreThere() {
        assertThat(found(List.of(List.of("k", "LISTEN", ""), List.of("k", "TEMPORARY_OBJECT", "")))
                        .kinds())
                .isEqualTo(StateKind.LISTEN.mask() | StateKind.TEMPORARY_OBJECT.mask());
    }
}
