package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.ClusterConfig;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.StartupMessage;

class ReplicationTest {
    @ParameterizedTest
    @ValueSource(strings = {"true", "t", "TRU", "on", "On", "yes", "y", "1"})
    void shouldTakeEveryTrueOfPostgres_checklist17(String value) {
        assertThat(askedFor(value)).contains(Replication.PHYSICAL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "f", "FALS", "off", "of", "no", "n", "0"})
    void shouldTakeEveryFalseOfPostgres_checklist17(String value) {
        assertThat(askedFor(value)).contains(Replication.NONE);
    }

    @Test
    void shouldKnowTheWordDatabase_checklist17() {
        assertThat(askedFor("database")).contains(Replication.LOGICAL);
        assertThat(Replication.askedForBy(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "u"))))
                .contains(Replication.NONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "o", "01", "2", "truely", "DATABASE", "databas", "yes ", "physical"})
    void shouldRefuseWhatPostgresRefuses_checklist17(String value) {
        assertThat(askedFor(value)).isEmpty();
    }

    @Test
    void shouldServeAPhysicalWalsenderFromTheNamedPoolOrElseFromTheUsersFirst() {
        ProxyConfig config = config(Map.of("shop", "ann", "bank", "bob"), 5432, 5432);

        assertThat(Replication.PHYSICAL.databaseFor("shop", "ann", config)).isEqualTo("shop");
        assertThat(Replication.PHYSICAL.databaseFor("replication", "ann", config))
                .isEqualTo("shop");
        assertThat(Replication.PHYSICAL.databaseFor("bank", "ann", config)).isEqualTo("shop");
        assertThat(Replication.PHYSICAL.databaseFor("replication", "nobody", config))
                .isEqualTo("replication");
        assertThat(Replication.LOGICAL.databaseFor("bank", "ann", config)).isEqualTo("bank");
        assertThat(Replication.NONE.databaseFor("bank", "ann", config)).isEqualTo("bank");
    }

    @Test
    void shouldAskForANameOnlyWhenThePoolsLeadToSeveralServers() {
        ProxyConfig same = config(Map.of("shop", "ann", "bank", "ann"), 5432, 5432);
        ProxyConfig different = config(Map.of("shop", "ann", "bank", "ann"), 5432, 5433);

        assertThat(Replication.PHYSICAL.isClear("replication", "ann", same)).isTrue();
        assertThat(Replication.PHYSICAL.isClear("replication", "ann", different))
                .isFalse();
        assertThat(Replication.PHYSICAL.isClear("bank", "ann", different)).isTrue();
        assertThat(Replication.LOGICAL.isClear("replication", "ann", different)).isTrue();
    }

    private static Optional<Replication> askedFor(String value) {
        return Replication.askedForBy(
                new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "u", "replication", value)));
    }

    /// `shop` is on the first port, everything else on the second.
    private static ProxyConfig config(Map<String, String> userOfPool, int port, int otherPort) {
        Map<String, PoolConfig> pools = new LinkedHashMap<>();
        userOfPool.forEach((database, user) -> pools.put(
                database,
                PoolConfig.defaults()
                        .withServer("db", database.equals("shop") ? port : otherPort)
                        .withUsers(UserConfig.of(user, StoredCredential.parse("secret")))));
        return new ProxyConfig(GeneralConfig.defaults(), ClusterConfig.defaults(), pools);
    }
}
