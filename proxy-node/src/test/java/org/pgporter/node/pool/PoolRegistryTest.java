package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.Secret;
import org.pgporter.auth.TokenGrant;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.PoolSettings;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;

/// Whose connections log in with what a client has proved itself with.
class PoolRegistryTest {
    private static final AuthQueryConfig LOOKUP = AuthQueryConfig.of("alice");

    @Test
    void shouldLogInAsTheClientUnderItsOwnNameOnly() {
        PoolConfig pool = PoolConfig.defaults()
                .withUsers(
                        UserConfig.of("alice", StoredCredential.parse("md5" + "0".repeat(32))),
                        UserConfig.of("bob", StoredCredential.parse("secret"))
                                .withServerLogin("alice", Secret.of("hers")));
        ProxyConfig config = ProxyConfig.of("app", pool);
        assertThat(PoolRegistry.logsInAsClient(settings(config, "alice"))).isTrue();
        assertThat(PoolRegistry.logsInAsClient(settings(config, "bob"))).isFalse();
    }

    @Test
    void shouldLogInAsAUserThatWasFoundButNotWhereAllShare() {
        ProxyConfig each = ProxyConfig.of("app", PoolConfig.defaults().withAuthQuery(LOOKUP));
        ProxyConfig shared = ProxyConfig.of(
                "app", PoolConfig.defaults().withAuthQuery(LOOKUP.withServerLogin("alice", Secret.of("hers"))));
        assertThat(PoolRegistry.logsInAsClient(found(each))).isTrue();
        assertThat(PoolRegistry.logsInAsClient(found(shared))).isFalse();
        assertThat(PoolRegistry.logsInAsClient(each.lookupSettings("app").orElseThrow()))
                .as("lookups log in with what is configured, whoever has their name")
                .isFalse();
    }

    /// A token whose claim is the name of a user with a password must not get what that user has proved.
    @Test
    void shouldNotLogInWithAnothersProofForAToken() {
        ProxyConfig config = ProxyConfig.of("app", PoolConfig.defaults().withAuthQuery(LOOKUP));
        TokenGrant grant = new TokenGrant("corp", Optional.empty(), false);
        assertThat(PoolRegistry.logsInAsClient(found(config).withGrant(grant))).isFalse();
    }

    private static PoolSettings settings(ProxyConfig config, String user) {
        return config.settings("app", user).orElseThrow();
    }

    private static PoolSettings found(ProxyConfig config) {
        return config.foundByLookup("app", "alice", Map.of()).orElseThrow();
    }
}
