package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.BackendProof;
import org.pgporter.auth.Md5Hash;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.md5.Md5Response;
import org.pgporter.auth.scram.ScramBinding;
import org.pgporter.auth.scram.ScramClientExchange;
import org.pgporter.auth.scram.ScramServerExchange;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.tls.TlsSession;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.Authentication;
import org.pgporter.protocol.message.AuthenticationCleartextPassword;
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.AuthenticationOk;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.AuthenticationSaslFinal;
import org.pgporter.protocol.message.AuthenticationUnsupported;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.WireMessage;

/// Logs in to PostgreSQL: from the StartupMessage to the first ReadyForQuery. Used once, on one thread.
///
/// Protocol 3.0 is asked for: nothing of 3.2 is needed on this leg, and every server speaks it.
final class BackendLogin {
    /// What to do next.
    sealed interface Step {
        /// Wait for the server.
        record Waits() implements Step {}

        record Sends(ByteBuf bytes) implements Step {}

        /// Derive this off the loop and come back with [BackendLogin#onSaltedPassword].
        record NeedsSaltedPassword(ScramClientExchange.NeedsSaltedPassword derivation) implements Step {}

        record Failed(ErrorResponse error) implements Step {}

        record Done(ServerParameters parameters, Optional<BackendKeyData> key) implements Step {}
    }

    private static final Pattern MD5_SECRET = Pattern.compile("md5[0-9a-f]{32}");

    private final BackendSettings settings;
    private final Optional<Secret> password;
    private final Optional<BackendProof> proof;
    private final Optional<TlsSession> tls;
    private final SecureRandom random;

    private @Nullable ScramClientExchange scram;
    private int scramAwaits; // the code of the authentication message that is its turn; 0 for none
    private boolean scramUnproven;
    private boolean asked; // whether it is who it should be
    private boolean confirmed;
    private ServerParameters parameters = ServerParameters.none();
    private Optional<BackendKeyData> key = Optional.empty();

    /// @param password of the role, where one is configured: plain, or `md5…` as PostgreSQL stores it
    /// @param proof what a client of the pool proved itself with
    /// @param tls of the connection
    BackendLogin(
            BackendSettings settings,
            Optional<Secret> password,
            Optional<BackendProof> proof,
            Optional<TlsSession> tls,
            SecureRandom random) {
        this.settings = settings;
        this.password = password;
        this.proof = proof;
        this.tls = tls;
        this.random = random;
    }

    ByteBuf start(ByteBufAllocator allocator) {
        Map<String, String> startup = new LinkedHashMap<>();
        startup.put("user", settings.user());
        startup.put("database", settings.database());
        startup.putAll(settings.startupParameters());
        settings.identity().startupParameters().forEach((name, value) -> {
            startup.keySet().removeIf(name::equalsIgnoreCase);
            startup.put(name, value);
        });
        return encode(allocator, new StartupMessage(ProtocolVersion.V3_0, startup));
    }

    /// Takes over the batch.
    Step onBatch(Batch batch, ByteBufAllocator allocator) {
        try {
            for (int i = 0; i < batch.marks(); i++) {
                Step step = onMessage(batch.type(i), batch.body(i), allocator);
                if (!(step instanceof Step.Waits)) {
                    return step;
                }
            }
            return new Step.Waits();
        } catch (ProtocolViolation violation) {
            return new Step.Failed(ProxyError.backendSurprise(violation.getMessage()));
        } finally {
            batch.release();
        }
    }

    private Step onMessage(byte type, ByteBuf body, ByteBufAllocator allocator) {
        return switch (type) {
            case 'R' -> onAuthentication(Authentication.decode(body), allocator);
            case 'S' -> {
                ParameterStatus parameter = ParameterStatus.decode(body);
                parameters = parameters.with(parameter.name(), parameter.value());
                yield new Step.Waits();
            }
            case 'K' -> {
                key = Optional.of(BackendKeyData.decode(body));
                yield new Step.Waits();
            }
            case 'E' -> new Step.Failed(explained(ErrorResponse.decode(body)));
            case 'Z' -> onReady(allocator);
            case '1', '2', 'D' -> asked ? new Step.Waits() : surprise(type);
            case 'C' -> {
                confirmed = asked && CommandComplete.decode(body).tag().equals(BackendIdentity.CONFIRMED);
                yield asked ? new Step.Waits() : surprise(type);
            }
            case 'A' -> new Step.Waits();
            default -> surprise(type);
        };
    }

    private static Step surprise(byte type) {
        return new Step.Failed(ProxyError.backendSurprise("message " + (char) type + " during login"));
    }

    /// The server would take queries now. Before anybody sends one it says whether the connection is who
    /// it should be.
    private Step onReady(ByteBufAllocator allocator) {
        if (scramUnproven) {
            return new Step.Failed(ProxyError.backendNotProven());
        }
        BackendIdentity identity = settings.identity();
        if (!identity.mustBeConfirmed() || confirmed) {
            return new Step.Done(parameters, key);
        }
        if (asked) {
            return new Step.Failed(
                    identity.role().map(ProxyError::roleNotConfirmed).orElseGet(ProxyError::readOnlyNotConfirmed));
        }
        asked = true;
        ByteBuf question = allocator.buffer();
        identity.writeConfirmation(question);
        return new Step.Sends(question);
    }

    /// What the client knows is what PgPorter has checked it with. PostgreSQL has something else.
    private ErrorResponse explained(ErrorResponse error) {
        boolean withProof = password.isEmpty() && proof.isPresent();
        return withProof && error.sqlState().equals(SqlState.INVALID_PASSWORD)
                ? ProxyError.secretsDiffer(error, proof.get() instanceof ScramKeys)
                : error;
    }

    private Step onAuthentication(Authentication message, ByteBufAllocator allocator) {
        return switch (message) {
            case AuthenticationOk _ ->
                scramUnproven ? new Step.Failed(ProxyError.backendNotProven()) : new Step.Waits();
            case AuthenticationCleartextPassword _ ->
                plainPassword()
                        .<Step>map(secret -> sends(
                                allocator,
                                new PasswordMessage(Bytes.of(secret.reveal().getBytes(StandardCharsets.UTF_8)))))
                        .orElseGet(() -> noCredential("a password in clear text"));
            case AuthenticationMd5Password(var salt) -> onMd5(salt.toArray(), allocator);
            case AuthenticationSasl(var mechanisms) -> onSasl(mechanisms, allocator);
            case AuthenticationSaslContinue(var data) ->
                inTurn(message)
                        .map(exchange -> afterScram(exchange.onServerFirst(data.toArray()), allocator))
                        .orElseGet(BackendLogin::outOfTurn);
            case AuthenticationSaslFinal(var data) ->
                inTurn(message)
                        .map(exchange -> afterScram(exchange.onServerFinal(data.toArray()), allocator))
                        .orElseGet(BackendLogin::outOfTurn);
            case AuthenticationUnsupported other -> noCredential("authentication method " + other.code());
        };
    }

    /// The exchange, if it waits for this message. Afterwards it waits for none until it has been moved on.
    private Optional<ScramClientExchange> inTurn(Authentication message) {
        boolean expected = message.code() == scramAwaits;
        scramAwaits = 0;
        return Optional.ofNullable(scram).filter(_ -> expected);
    }

    /// What is configured is a password, or its stored form where the backend asks for MD5.
    private Optional<Secret> plainPassword() {
        return password.filter(_ -> configuredHash().isEmpty());
    }

    private Optional<Md5Hash> configuredHash() {
        return password.filter(secret -> MD5_SECRET.matcher(secret.reveal()).matches())
                .map(secret -> Md5Secret.parse(secret.reveal()).hash());
    }

    private Step onMd5(byte[] salt, ByteBufAllocator allocator) {
        Optional<Md5Hash> hash = plainPassword()
                .map(secret -> Md5Response.hashOf(settings.user(), secret))
                .or(this::configuredHash)
                .or(() -> proof.filter(Md5Hash.class::isInstance).map(Md5Hash.class::cast));
        return hash.<Step>map(known -> sends(
                        allocator,
                        new PasswordMessage(
                                Bytes.of(Md5Response.forHash(known, salt).getBytes(StandardCharsets.US_ASCII)))))
                .orElseGet(() -> noCredential("MD5"));
    }

    private Step onSasl(java.util.List<String> mechanisms, ByteBufAllocator allocator) {
        Optional<ScramClientExchange.Credential> credential = plainPassword()
                .filter(secret -> !secret.isEmpty())
                .<ScramClientExchange.Credential>map(ScramClientExchange.FromPassword::new)
                .or(() -> proof.filter(ScramKeys.class::isInstance)
                        .map(keys -> new ScramClientExchange.FromKeys((ScramKeys) keys)));
        ScramBinding binding = binding(mechanisms);
        if (!mechanisms.contains(binding.mechanism()) || credential.isEmpty()) {
            return noCredential(String.join(" or ", mechanisms));
        }
        scramAwaits = AuthenticationSaslContinue.CODE;
        ScramClientExchange exchange = new ScramClientExchange(credential.get(), binding, random);
        scram = exchange;
        scramUnproven = true;
        return sends(
                allocator,
                new SaslInitialResponse(binding.mechanism(), Optional.of(Bytes.of(exchange.initialMessage()))));
    }

    /// As libpq: bound to the server's certificate where that is offered; otherwise the server is told that it could
    /// have been, and knows if somebody has taken it out of its offer.
    private ScramBinding binding(java.util.List<String> mechanisms) {
        return tls.flatMap(TlsSession::tlsServerEndPoint)
                .<ScramBinding>map(hash -> mechanisms.contains(ScramServerExchange.MECHANISM_PLUS)
                        ? new ScramBinding.ServerEndPoint(hash)
                        : new ScramBinding.NotOffered())
                .orElseGet(ScramBinding.None::new);
    }

    private Step afterScram(ScramClientExchange.Step step, ByteBufAllocator allocator) {
        return switch (step) {
            case ScramClientExchange.SendFinal(var message) -> {
                scramAwaits = AuthenticationSaslFinal.CODE;
                yield sends(allocator, new SaslResponse(Bytes.of(message)));
            }
            case ScramClientExchange.NeedsSaltedPassword derivation -> new Step.NeedsSaltedPassword(derivation);
            case ScramClientExchange.ServerVerified _ -> {
                scramUnproven = false;
                yield new Step.Waits();
            }
            case ScramClientExchange.Failed failed -> new Step.Failed(ProxyError.backendSurprise(failed.reason()));
        };
    }

    Step onSaltedPassword(byte[] salted, ByteBufAllocator allocator) {
        return scram == null ? outOfTurn() : afterScram(scram.withSaltedPassword(salted), allocator);
    }

    private static Step outOfTurn() {
        return new Step.Failed(ProxyError.backendSurprise("SASL message out of turn"));
    }

    private Step noCredential(String asked) {
        if (configuredHash().isPresent()) {
            return new Step.Failed(ProxyError.hashOpensOnlyMd5(settings.user(), asked));
        }
        return new Step.Failed(ProxyError.nothingToLogInWith(settings.user(), asked));
    }

    private static Step sends(ByteBufAllocator allocator, WireMessage message) {
        return new Step.Sends(encode(allocator, message));
    }

    private static ByteBuf encode(ByteBufAllocator allocator, WireMessage message) {
        ByteBuf out = allocator.buffer();
        message.encodeTo(out);
        return out;
    }
}
