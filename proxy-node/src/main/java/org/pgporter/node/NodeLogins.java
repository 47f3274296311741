package org.pgporter.node;

import com.github.benmanes.caffeine.cache.Ticker;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.pgporter.auth.MockKind;
import org.pgporter.auth.MockSecrets;
import org.pgporter.auth.credential.CredentialSource;
import org.pgporter.auth.credential.ProofStore;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.RuleProblems;
import org.pgporter.cluster.credential.ConfiguredCredentials;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.TalosConfig;
import org.pgporter.node.authquery.AuthQuery;
import org.pgporter.node.hba.AccessRules;
import org.pgporter.node.hba.ConfiguredRoles;
import org.pgporter.node.login.Directory;
import org.pgporter.node.login.DynamicUsers;
import org.pgporter.node.login.LoginGuard;
import org.pgporter.node.login.LoginMethod;
import org.pgporter.node.login.LoginPolicy;
import org.pgporter.node.login.OtherMethods;
import org.pgporter.node.login.StoredSecrets;
import org.pgporter.node.login.TalosLogin;
import org.pgporter.node.login.TokenLogins;
import org.pgporter.node.pool.DynamicPools;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.token.NodeTokens;
import org.pgporter.node.token.TokenProblem;
import org.pgporter.node.transport.EventLoops;

/// Everything of a node that decides who may come in, put together: rules, stored secrets, lookups, tokens, the
/// operating system and directories, and what keeps those out who try too often.
final class NodeLogins implements AutoCloseable {
    private final AccessRules access;
    private final NodeTokens tokens;
    private final OtherMethods others;
    private final LoginGuard guard;
    private final AuthQuery authQuery;
    private final LoginPolicy policy;
    private final Directory directory;

    private NodeLogins(
            ProxyConfig config,
            AccessRules access,
            NodeTokens tokens,
            ProofStore proofs,
            DynamicPools dynamicPools,
            SecureRandom random,
            Executor cpu) {
        this.access = access;
        this.tokens = tokens;
        this.others = OtherMethods.start(config, access::identityMap);
        this.guard = new LoginGuard(config.general().loginLimits(), Ticker.systemTicker());
        this.authQuery = new AuthQuery(config, proofs, dynamicPools, Ticker.systemTicker(), InstantSource.system());
        MockSecrets mocks = mockSecrets(config, random);
        this.policy = policy(config, new ConfiguredCredentials(config, mocks, cpu), mocks, random, cpu);
        this.directory = new Directory(config, authQuery::forget);
    }

    /// @param proofs where what clients prove themselves with is kept for their backend connections
    /// @param cpu for work that would hold an event loop
    /// @throws NodeStartFailure when rules or keys cannot be read; nothing is left behind then
    static NodeLogins start(
            ProxyConfig config, ProofStore proofs, DynamicPools dynamicPools, SecureRandom random, Executor cpu) {
        AccessRules access;
        try {
            access = AccessRules.start(config, new ConfiguredRoles(config));
        } catch (RuleProblems problems) {
            throw new NodeStartFailure("general.pg_hba: " + problems.getMessage(), problems);
        }
        try {
            NodeTokens tokens = NodeTokens.start(config, cpu, InstantSource.system());
            return new NodeLogins(config, access, tokens, proofs, dynamicPools, random, cpu);
        } catch (TokenProblem problem) {
            access.close();
            throw new NodeStartFailure(problem.key() + ": " + problem.reason(), problem);
        }
    }

    /// Begins to look users up, once there are actors.
    void lookUpWith(ActorContext<?> context, EventLoops loops, ActorRef<PoolRegistry.Command> pools) {
        authQuery.start(context, loops, pools);
    }

    private LoginPolicy policy(
            ProxyConfig config, CredentialSource credentials, MockSecrets mocks, SecureRandom random, Executor cpu) {
        TokenLogins byToken = new TokenLogins(config, tokens, access.identityMap());
        Map<AuthMethod, LoginMethod> methods = new EnumMap<>(others.byRule());
        methods.put(AuthMethod.JWT, byToken::jwt);
        methods.put(AuthMethod.OAUTH, byToken::oauth);
        StoredSecrets secrets = new StoredSecrets(config, credentials, mocks, random, cpu, methods);
        DynamicUsers users = new DynamicUsers(
                config, credentials, authQuery.credentials(), mocks, authQuery::succeeded, authQuery::failed);
        LoginMethod byCredential = users.serving((source, shown) -> secrets.with(source, shown)::byCredential);
        methods.put(AuthMethod.TRUST, users.serving((source, shown) -> secrets.with(source, shown)::trust));
        methods.put(AuthMethod.MD5, byCredential);
        methods.put(AuthMethod.SCRAM_SHA_256, users.serving((source, shown) -> secrets.with(source, shown)::scram));
        methods.put(AuthMethod.PASSWORD, users.serving((source, shown) -> secrets.with(source, shown)::password));
        return new LoginPolicy(
                        access::policy,
                        methods,
                        byToken.orElse(byCredential),
                        tokens.talos()
                                .map(verifier -> new LoginPolicy.TalosUser(
                                        TalosConfig.USER,
                                        new TalosLogin(
                                                config, config.talosAnywhere().orElseThrow(), verifier))))
                .demanding(others::besides);
    }

    private static MockSecrets mockSecrets(ProxyConfig config, SecureRandom random) {
        List<StoredCredential> credentials = config.pools().values().stream()
                .flatMap(pool -> pool.users().stream())
                .flatMap(user -> user.password().stream())
                .toList();
        byte[] key = new byte[MockSecrets.MIN_KEY_LENGTH];
        random.nextBytes(key);
        return new MockSecrets(key, MockKind.ofMajority(credentials));
    }

    LoginPolicy policy() {
        return policy;
    }

    Directory directory() {
        return directory;
    }

    LoginGuard guard() {
        return guard;
    }

    AccessRules access() {
        return access;
    }

    NodeTokens tokens() {
        return tokens;
    }

    AuthQuery authQuery() {
        return authQuery;
    }

    @Override
    public void close() {
        tokens.close();
        access.close();
        others.close();
    }
}
