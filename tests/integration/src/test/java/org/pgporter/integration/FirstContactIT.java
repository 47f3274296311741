package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

class FirstContactIT {
    @Test
    void shouldAnswerAQueryThroughTransactionMode() {
        // Given
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("first_contact", "secret", "scram-sha-256");
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user("postgres", "first_contact", postgres.secretOf("first_contact"))
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port())) {
            // When
            client.logsIn("first_contact", "secret", "postgres");
            // Then
            assertThat(client.query("select 40 + 2")).isEqualTo(List.of(List.of("42")));
        }
    }
}
