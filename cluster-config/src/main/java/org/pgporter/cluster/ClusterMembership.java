package org.pgporter.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.pgporter.config.ClusterConfig;

/// Makes a node a member of its cluster.
public final class ClusterMembership {
    /// What no operator chooses. The node decides when it leaves and ends, so Pekko's own hooks are off.
    private static final String FIXED = """
            pekko {
              actor.provider = cluster
              remote.artery.transport = tcp
              cluster {
                downing-provider-class = "org.apache.pekko.cluster.sbr.SplitBrainResolverProvider"
                jmx.enabled = off
                log-info = off
                # A cluster of one is up after one of these ticks, and start-up waits for it. The defaults are 1 s.
                periodic-tasks-initial-delay = 50 ms
                leader-actions-interval = 200 ms
                # A node whose seeds are away keeps trying; it serves clients meanwhile.
                shutdown-after-unsuccessful-join-seed-nodes = off
              }
              coordinated-shutdown {
                run-by-jvm-shutdown-hook = off
                exit-jvm = off
              }
              jvm-shutdown-hooks = off
              loggers = ["org.apache.pekko.event.slf4j.Slf4jLogger"]
              logging-filter = "org.apache.pekko.event.slf4j.Slf4jLoggingFilter"
              loglevel = WARNING
              stdout-loglevel = OFF
              log-dead-letters = off
              log-dead-letters-during-shutdown = off
            }
            """;

    private ClusterMembership() {}

    /// The part of Pekko's configuration that makes a system a member of this cluster. The caller puts its own
    /// settings before it and `ConfigFactory.load()` behind it, and names the system [ClusterConfig#name()]:
    /// systems of other names cannot join.
    public static Config pekkoConfig(ClusterConfig cluster) {
        return ConfigFactory.parseString(FIXED)
                .withValue("pekko.remote.artery.canonical.hostname", ConfigValueFactory.fromAnyRef(cluster.host()))
                .withValue("pekko.remote.artery.canonical.port", ConfigValueFactory.fromAnyRef(cluster.port()));
    }

    /// Joins: itself when there are no seed nodes, which forms a cluster of one at once, otherwise the seeds.
    ///
    /// @return completes when this node is up; with seeds that cannot be reached that may be never
    public static CompletionStage<Done> join(ActorSystem<?> system, ClusterConfig cluster) {
        CompletableFuture<Done> up = new CompletableFuture<>();
        org.apache.pekko.cluster.Cluster.get(system.classicSystem())
                .registerOnMemberUp(() -> up.complete(Done.getInstance()));
        Cluster member = Cluster.get(system);
        if (cluster.seedNodes().isEmpty()) {
            member.manager().tell(Join.create(member.selfMember().address()));
        } else {
            List<Address> seeds = cluster.seedNodes().stream()
                    .map(seed -> AddressFromURIString.parse("pekko://" + system.name() + "@" + seed))
                    .toList();
            member.manager().tell(new JoinSeedNodes(seeds));
        }
        return up;
    }
}
