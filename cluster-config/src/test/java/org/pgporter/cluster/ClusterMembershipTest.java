package org.pgporter.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pgporter.config.ClusterConfig;

class ClusterMembershipTest {
    private final List<ActorSystem<Void>> systems = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        for (ActorSystem<Void> system : systems) {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldFormAClusterOfOneAtOnce() throws Exception {
        // Given
        ClusterConfig config = ClusterConfig.defaults();
        ActorSystem<Void> system = start(config);

        // When
        long before = System.nanoTime();
        ClusterMembership.join(system, config).toCompletableFuture().get(10, TimeUnit.SECONDS);

        // Then
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
        // The view that is read here is a message behind the event.
        await().untilAsserted(() ->
                assertThat(Cluster.get(system).state().getMembers()).hasSize(1));
        assertThat(Cluster.get(system).selfMember().address().getPort())
                .hasValueSatisfying(port -> assertThat((int) port).isPositive());
    }

    @Test
    void shouldJoinTheSeedNodes() throws Exception {
        // Given
        ClusterConfig first = ClusterConfig.defaults();
        ActorSystem<Void> one = start(first);
        ClusterMembership.join(one, first).toCompletableFuture().get(10, TimeUnit.SECONDS);
        String seed = Cluster.get(one).selfMember().address().hostPort().replaceFirst(".*@", "");
        ClusterConfig second = first.withSeedNodes(List.of(seed)).withNodeIndex(1);
        ActorSystem<Void> two = start(second);

        // When
        ClusterMembership.join(two, second).toCompletableFuture().get(30, TimeUnit.SECONDS);

        // Then
        assertThat(Cluster.get(two).state().getMembers()).hasSize(2);
    }

    @Test
    void shouldLeaveTheEndToTheNode() {
        var config = ClusterMembership.pekkoConfig(
                ClusterConfig.defaults().withHost("::1").withPort(7355));
        assertThat(config.getBoolean("pekko.coordinated-shutdown.run-by-jvm-shutdown-hook"))
                .isFalse();
        assertThat(config.getBoolean("pekko.coordinated-shutdown.exit-jvm")).isFalse();
        assertThat(config.getString("pekko.remote.artery.canonical.hostname")).isEqualTo("::1");
        assertThat(config.getInt("pekko.remote.artery.canonical.port")).isEqualTo(7355);
    }

    private ActorSystem<Void> start(ClusterConfig config) {
        ActorSystem<Void> system = ActorSystem.create(
                Behaviors.empty(),
                config.name(),
                ClusterMembership.pekkoConfig(config).withFallback(ConfigFactory.load()));
        systems.add(system);
        return system;
    }
}
