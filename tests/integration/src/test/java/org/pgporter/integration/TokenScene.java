package org.pgporter.integration;

import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.pgporter.auth.Secret;
import org.pgporter.config.IssuerConfig;
import org.pgporter.config.RuleSource;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.support.OpenIdProvider;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// A PostgreSQL, an issuer of tokens, and nodes between people and the two. Roles begin with a prefix of
/// the test's own.
final class TokenScene implements AutoCloseable {
    static final String PASSWORD = "gateway password";
    static final String DATABASE = "postgres";

    final TestPostgres postgres = TestPostgres.shared();
    final OpenIdProvider provider;
    final TestPki pki;
    final TestPki.Identity identity;
    final String prefix;

    TokenScene(Path folder, String prefix) {
        this.pki = TestPki.in(folder);
        this.identity = pki.server("localhost", "127.0.0.1");
        this.provider = OpenIdProvider.start(identity);
        this.prefix = prefix;
        postgres.createUser(gateway(), PASSWORD, "scram-sha-256");
        postgres.createUser(application(), "secret", "scram-sha-256");
    }

    /// The role that backend connections of token users log in as.
    String gateway() {
        return prefix + "_gateway";
    }

    /// The issuer, found by discovery, for whoever it vouches for.
    IssuerConfig issuer() {
        IssuerConfig issuer = IssuerConfig.of(provider.issuer(), OpenIdProvider.AUDIENCE);
        return issuer.withKeys(issuer.keys().withTlsCaCert(pki.authority()))
                .withUsers(issuer.users()
                        .withAutoProvision(true)
                        .withServerUser(gateway())
                        .withServerPassword(Secret.of(PASSWORD)));
    }

    /// A node that takes tokens of the issuer, and knows one application user with the password `secret`.
    TestNode.Builder node(UnaryOperator<IssuerConfig> change) {
        return plain().issuer("corp", change.apply(issuer()));
    }

    /// A node without issuers.
    TestNode.Builder plain() {
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(DATABASE, application(), "secret")
                .general(general -> general.withClientTls(
                        general.clientTls().withIdentity(identity.certificate(), identity.key())));
    }

    static UnaryOperator<org.pgporter.config.GeneralConfig> rules(String text) {
        return general -> general.withAccess(general.access().withPgHba(RuleSource.of(text, "pg_hba.conf")));
    }

    String application() {
        return prefix + "_app";
    }

    RawClient connects(TestNode node) {
        return RawClient.connects(node.host(), node.port()).encrypts(pki.trusting());
    }

    /// Logs in with a token in place of a password.
    RawClient comes(TestNode node, String user, String token) {
        return connects(node).logsIn(user, token, DATABASE);
    }

    ErrorResponse isRefused(TestNode node, String user, String token) {
        try (RawClient client = connects(node)) {
            ErrorResponse error = client.logsInExpectingError(user, token, DATABASE);
            client.expectsClosed();
            return error;
        }
    }

    @Override
    public void close() {
        provider.close();
    }
}
