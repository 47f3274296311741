package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StatementCatalogTest {
    private static byte[] definition(String sql) {
        return (sql + "\0\0\0").getBytes(StandardCharsets.UTF_8);
    }

    /// What neither a session nor a backend uses does not stay in memory.
    @Test
    void shouldForgetStatementsThatNobodyUses() { // checklist 97
        StatementCatalog catalog = new StatementCatalog();
        PreparedStatement used = catalog.statement(definition("select 'used'"), PlanContext.DEFAULT);
        List<WeakReference<PreparedStatement>> unused = IntStream.range(0, 1_000)
                .mapToObj(i -> new WeakReference<>(catalog.statement(definition("select " + i), PlanContext.DEFAULT)))
                .toList();

        await().untilAsserted(() -> {
            System.gc();
            assertThat(unused).allSatisfy(it -> assertThat(it.get()).isNull());
        });
        assertThat(catalog.statement(definition("select 'used'"), PlanContext.DEFAULT))
                .isSameAs(used);
    }
}
