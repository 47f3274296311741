package org.pgporter.auth.credential;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class FixedCredentialsTest {
    private static final StoredCredential STORED = StoredCredential.parse("md53175bce1d3201d16594cebf9d7eb3f9d");
    private static final CredentialSource SOURCE =
            new FixedCredentials(Map.of(new CredentialKey("app", "alice"), STORED));

    @Test
    void shouldFindByDatabaseAndUser() {
        assertThat(answer("app", "alice")).isEqualTo(new CredentialLookup.Found(STORED));
        assertThat(answer("other", "alice")).isEqualTo(new CredentialLookup.NotFound());
        assertThat(answer("app", "bob")).isEqualTo(new CredentialLookup.NotFound());
    }

    private static CredentialLookup answer(String database, String user) {
        return SOURCE.lookup(new CredentialKey(database, user))
                .toCompletableFuture()
                .resultNow();
    }
}
