package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.pekko.actor.typed.Behavior;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Identity;
import org.pgporter.auth.ServerChallenge;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.login.LoginDecision;
import org.pgporter.node.login.LoginRequest;
import org.pgporter.node.session.ClientSession.Command;
import org.pgporter.node.session.ClientSession.Decided;
import org.pgporter.node.session.ClientSession.FromClient;
import org.pgporter.node.session.ClientSession.Stepped;
import org.pgporter.node.transport.Ack;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.AuthenticationCleartextPassword;
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.AuthenticationOk;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.AuthenticationSaslFinal;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.stream.Framed;

/// The part of a login in which the client proves who it is.
///
/// ```
///  deciding ──► asked ◄──► waiting ──► authenticated
///      └───────────┴──────────┴──────► refused
/// ```
///
/// A message of the client is acknowledged only when the next one may come, so nothing is read ahead of a
/// decision.
final class ClientAuthentication {
    private final ClientSession session;
    private final Function<Command, Behavior<Command>> common;
    private final BiFunction<Identity, Ack, Behavior<Command>> authenticated;
    private @Nullable LoginRequest request;
    private long begunAt;

    /// For one login.
    ///
    /// @param common what is done with a command that is not this part's
    /// @param authenticated what follows; the client has been told already
    ClientAuthentication(
            ClientSession session,
            Function<Command, Behavior<Command>> common,
            BiFunction<Identity, Ack, Behavior<Command>> authenticated) {
        this.session = session;
        this.common = common;
        this.authenticated = authenticated;
    }

    Behavior<Command> begin(LoginRequest asked, Ack ack) {
        Optional<String> refusal = session.services().guard().refusal(asked);
        if (refusal.isPresent()) {
            return tooOften(refusal.get());
        }
        request = asked;
        begunAt = System.nanoTime();
        CompletionStage<LoginDecision> decision = session.services().logins().decide(asked);
        session.context()
                .pipeToSelf(
                        decision,
                        (made, failure) -> new Decided(
                                failure == null
                                        ? made
                                        : new LoginDecision.Refused(
                                                ProxyError.authenticationUnavailable(), String.valueOf(failure))));
        return session.state(ClientView.Activity.LOGIN, command -> switch (command) {
            case Decided(LoginDecision.Ask(var exchange)) -> afterStep(exchange, exchange.start(), ack);
            case Decided(LoginDecision.Known(var step)) -> ended(step, ack);
            case Decided(LoginDecision.Refused(var error, var reason)) -> {
                if (error.sqlState().equals(SqlState.SYSTEM_ERROR)) {
                    session.services().guard().unavailable();
                }
                session.logRejection(reason);
                yield session.fail(error);
            }
            default -> common.apply(command);
        });
    }

    private Behavior<Command> tooOften(String limit) {
        session.logRejection("too many login attempts: " + limit);
        return session.fail(ProxyError.tooManyLogins());
    }

    private Behavior<Command> afterStep(AuthenticationExchange exchange, AuthenticationStep step, Ack ack) {
        return switch (step) {
            case AuthenticationStep.Challenge(var challenge) -> {
                send(challenge);
                ack.acknowledge();
                yield asked(exchange, challenge);
            }
            case AuthenticationStep.Waits(var next) -> waiting(exchange, next, ack);
            default -> ended(step, ack);
        };
    }

    private Behavior<Command> ended(AuthenticationStep step, Ack ack) {
        return switch (step) {
            case AuthenticationStep.Authenticated(var identity, var finalData) -> {
                Optional<String> refusal = session.services().guard().succeeded(request());
                if (refusal.isPresent()) {
                    yield tooOften(refusal.get());
                }
                ByteBuf out = session.client().buffer();
                finalData.ifPresent(data -> new AuthenticationSaslFinal(Bytes.of(data)).encodeTo(out));
                new AuthenticationOk().encodeTo(out);
                session.client().send(out);
                yield authenticated.apply(identity, ack);
            }
            case AuthenticationStep.Rejected(var reason, var refusal) -> {
                if (!refusal.counts()) {
                    yield session.fail(ProxyError.bearerTokenRejected(session.user()));
                }
                session.services().guard().failed(request());
                session.logRejection(reason);
                yield afterDelay(
                        switch (refusal) {
                            case PASSWORD -> ProxyError.passwordRejected(session.user());
                            case BEARER_TOKEN, DISCOVERY -> ProxyError.bearerTokenRejected(session.user());
                        });
            }
            case AuthenticationStep.Refused(var message, var reason) -> {
                session.services().guard().failed(request());
                session.logRejection(reason);
                yield afterDelay(ProxyError.refused(message));
            }
            case AuthenticationStep.Malformed(var message, var sqlState) -> {
                session.logRejection(message);
                yield session.fail(ProxyError.malformedAuthentication(sqlState, message));
            }
            case AuthenticationStep.Unavailable(var cause) -> {
                session.services().guard().unavailable();
                session.logRejection(cause);
                yield session.fail(ProxyError.authenticationUnavailable());
            }
            case AuthenticationStep.Challenge _, AuthenticationStep.Waits _ ->
                throw new IllegalStateException("the exchange has not ended");
        };
    }

    /// How long it took to find out tells something about the user: every such answer takes the same time.
    private Behavior<Command> afterDelay(ErrorResponse error) {
        Duration delay = session.services().config().general().loginLimits().loginFailureDelay();
        Duration left = delay.minusNanos(System.nanoTime() - begunAt);
        if (!left.isPositive()) {
            return session.fail(error);
        }
        session.wakesUpIn(left);
        return session.state(ClientView.Activity.LOGIN, command -> switch (command) {
            case ClientSession.WakeUp _ -> session.fail(error);
            default -> common.apply(command);
        });
    }

    private LoginRequest request() {
        return Objects.requireNonNull(request);
    }

    /// Somebody else is asked. The client has nothing to say meanwhile.
    private Behavior<Command> waiting(
            AuthenticationExchange exchange, CompletionStage<AuthenticationStep> next, Ack ack) {
        session.context()
                .pipeToSelf(
                        next,
                        (step, failure) -> new Stepped(
                                failure == null ? step : new AuthenticationStep.Unavailable(String.valueOf(failure))));
        return session.state(ClientView.Activity.LOGIN, command -> switch (command) {
            case Stepped(var step) -> afterStep(exchange, step, ack);
            default -> common.apply(command);
        });
    }

    private void send(ServerChallenge challenge) {
        session.client()
                .send(
                        switch (challenge) {
                            case ServerChallenge.CleartextPassword _ -> new AuthenticationCleartextPassword();
                            case ServerChallenge.Md5Password(var salt) -> new AuthenticationMd5Password(Bytes.of(salt));
                            case ServerChallenge.SaslMechanisms(var names) -> new AuthenticationSasl(names);
                            case ServerChallenge.SaslContinue(var data) ->
                                new AuthenticationSaslContinue(Bytes.of(data));
                        });
    }

    private Behavior<Command> asked(AuthenticationExchange exchange, ServerChallenge challenge) {
        return session.state(ClientView.Activity.LOGIN, command -> switch (command) {
            case FromClient(Framed.Messages(var batch), var ack) -> {
                try {
                    ClientResponse response = response(batch, challenge);
                    yield afterStep(exchange, exchange.onResponse(response), ack);
                } catch (ProtocolViolation violation) {
                    session.logRejection(violation.getMessage());
                    yield session.fail(ProxyError.protocolViolation(violation));
                } finally {
                    batch.release();
                }
            }
            default -> common.apply(command);
        });
    }

    private static ClientResponse response(Batch batch, ServerChallenge challenge) {
        if (batch.type(0) != 'p') {
            throw new ProtocolViolation(
                    SqlState.PROTOCOL_VIOLATION,
                    "expected authentication response, got message type " + (batch.type(0) & 0xff));
        }
        ByteBuf body = batch.body(0);
        return switch (challenge) {
            case ServerChallenge.CleartextPassword _, ServerChallenge.Md5Password _ ->
                new ClientResponse.Password(
                        PasswordMessage.decode(body).password().toArray());
            case ServerChallenge.SaslMechanisms _ -> {
                SaslInitialResponse initial = SaslInitialResponse.decode(body);
                yield new ClientResponse.SaslInitial(
                        initial.mechanism(), initial.response().map(Bytes::toArray));
            }
            case ServerChallenge.SaslContinue _ ->
                new ClientResponse.Sasl(SaslResponse.decode(body).response().toArray());
        };
    }
}
