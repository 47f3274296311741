package org.pgporter.node.authquery;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.DynamicCredentials;
import org.pgporter.auth.credential.ProofStore;
import org.pgporter.cluster.credential.CredentialCache;
import org.pgporter.cluster.credential.LookedUpCredentials;
import org.pgporter.cluster.credential.UserLookups;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.config.PoolSettings;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.backend.HolderMessage;
import org.pgporter.node.pool.DynamicPools;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.transport.EventLoops;

/// The lookups of a node, what they have found, and what has been counted of them. For many threads.
public final class AuthQuery {
    private final ProxyConfig config;
    private final ProofStore proofs;
    private final DynamicPools pools;
    private final Map<String, Lookups> lookups = new LinkedHashMap<>();
    private final LookedUpCredentials credentials;

    /// The lookups of one database: not more wait than it allows.
    private static final class Lookups implements UserLookups {
        final AuthQueryConfig config;
        final LookupCounters counters = new LookupCounters();
        private final AtomicInteger underWay = new AtomicInteger();
        private volatile @Nullable ActorRef<HolderMessage> desk;

        Lookups(AuthQueryConfig config) {
            this.config = config;
        }

        @Override
        public CompletionStage<Outcome> lookup(String user) {
            ActorRef<HolderMessage> asked = desk;
            if (asked == null) {
                return failed("the node is still starting");
            }
            int most = config.options().maxWaitingLookups() + config.options().workers();
            if (underWay.incrementAndGet() > most) {
                underWay.decrementAndGet();
                counters.errors.increment();
                return failed("max_waiting_lookups lookups wait already");
            }
            CompletableFuture<Outcome> answer = new CompletableFuture<>();
            asked.tell(new LookupDesk.Look(user, answer));
            return answer.whenComplete((_, _) -> underWay.decrementAndGet());
        }

        private static CompletionStage<Outcome> failed(String cause) {
            return CompletableFuture.completedStage(new Outcome.Failed(cause));
        }
    }

    /// @param proofs forget what no longer holds
    /// @param pools for the statistics
    public AuthQuery(ProxyConfig config, ProofStore proofs, DynamicPools pools, Ticker ticker, InstantSource clock) {
        this.config = config;
        this.proofs = proofs;
        this.pools = pools;
        Map<String, CredentialCache> caches = new LinkedHashMap<>();
        config.pools()
                .forEach((database, pool) -> pool.authQuery().ifPresent(query -> {
                    Lookups own = new Lookups(query);
                    lookups.put(database, own);
                    caches.put(
                            database,
                            new CredentialCache(
                                    query.options(),
                                    own,
                                    ticker,
                                    clock,
                                    user -> proofs.forget(new CredentialKey(database, user))));
                }));
        this.credentials = new LookedUpCredentials(caches);
    }

    /// Starts what asks PostgreSQL; connections are opened when somebody is looked up.
    public void start(ActorContext<?> context, EventLoops loops, ActorRef<PoolRegistry.Command> registry) {
        int loop = 0;
        for (Map.Entry<String, Lookups> entry : lookups.entrySet()) {
            Optional<PoolSettings> settings = config.lookupSettings(entry.getKey());
            if (settings.isPresent()) {
                int index = loop++ % loops.count();
                entry.getValue().desk = context.spawn(
                        LookupDesk.create(
                                registry, settings.get(), index, entry.getValue().config, entry.getValue().counters),
                        "auth-query-" + loop,
                        DispatcherSelector.fromConfig(loops.dispatcher(index)));
            }
        }
    }

    /// The users who were found.
    public DynamicCredentials credentials() {
        return credentials;
    }

    /// A looked up secret has let somebody in.
    public void succeeded(String database) {
        Optional.ofNullable(lookups.get(database)).ifPresent(it -> it.counters.successes.increment());
    }

    /// A looked up secret, or that there is none, has kept somebody out.
    public void failed(String database) {
        Optional.ofNullable(lookups.get(database)).ifPresent(it -> it.counters.failures.increment());
    }

    // ---- forgetting

    /// Forgets all users of all databases. Sessions go on; whoever logs in next is looked up.
    public void forgetAll() {
        credentials.forgetAll();
    }

    /// Forgets all users of a database.
    public void forget(String database) {
        credentials.cache(database).ifPresent(CredentialCache::forgetAll);
    }

    /// Forgets one user, and what its backend connections log in with.
    public void forget(CredentialKey key) {
        credentials.cache(key.database()).ifPresent(cache -> {
            cache.forget(key.user());
            proofs.forget(key);
        });
    }

    // ---- statistics

    /// One row of `SHOW AUTH_QUERY`.
    ///
    /// @param cacheRefetches lookups of users who were known: after a wrong password, or ahead of the end
    ///     of their time
    /// @param rateLimited wrong passwords after which `min_interval` forbade to ask
    /// @param authSuccess logins that a looked up secret has let in
    /// @param authFailure logins that it has refused, those of unknown users included
    /// @param executorQueries lookups sent to PostgreSQL
    /// @param executorErrors lookups that have failed
    /// @param startupParametersDropped settings of users that could not be used
    public record Statistics(
            String database,
            long cacheEntries,
            long cacheHits,
            long cacheMisses,
            long cacheRefetches,
            long rateLimited,
            long authSuccess,
            long authFailure,
            long executorQueries,
            long executorErrors,
            long dynamicPoolsCurrent,
            long dynamicPoolsCreated,
            long dynamicPoolsDestroyed,
            long startupParametersDropped) {}

    /// Of each database with `auth_query`, in the order of the configuration.
    public List<Statistics> statistics() {
        List<Statistics> rows = new ArrayList<>();
        lookups.forEach((database, its) -> {
            CredentialCache.Statistics cache =
                    credentials.cache(database).orElseThrow().statistics();
            DynamicPools.Count count = pools.count(database);
            rows.add(new Statistics(
                    database,
                    cache.entries(),
                    cache.hits(),
                    cache.misses(),
                    cache.refetches(),
                    cache.rateLimited(),
                    its.counters.successes.sum(),
                    its.counters.failures.sum(),
                    its.counters.queries.sum(),
                    its.counters.errors.sum(),
                    count.created() - count.destroyed(),
                    count.created(),
                    count.destroyed(),
                    its.counters.parametersDropped.sum()));
        });
        return rows;
    }
}
