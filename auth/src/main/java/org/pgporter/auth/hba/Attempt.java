package org.pgporter.auth.hba;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/// One connection attempt on its way through the rules, with the answers it has been given so far. Used by
/// one thread at a time.
final class Attempt {
    private final HbaRequest request;
    private final List<CompiledRule> rules;
    private final HbaPorts ports;
    private final Map<String, RoleMembership.Membership> memberships = new HashMap<>();
    private Known<Optional<String>> hostName = new Known.NotYet<>();
    private Known<List<AddressRange>> networks = new Known.NotYet<>();
    private int next;

    /// What has been found out.
    private sealed interface Known<T> {
        record NotYet<T>() implements Known<T> {}

        record Is<T>(T value) implements Known<T> {}

        record Failed<T>(String cause) implements Known<T> {}
    }

    Attempt(HbaRequest request, List<CompiledRule> rules, HbaPorts ports) {
        this.request = request;
        this.rules = rules;
        this.ports = ports;
    }

    HbaRequest request() {
        return request;
    }

    /// Goes on from where it has stopped. As long as answers are there at once this is a loop: a file may
    /// have more rules than a thread has stack.
    CompletionStage<HbaVerdict> decide() {
        while (next < rules.size()) {
            CompiledRule rule = rules.get(next);
            switch (rule.fits(this)) {
                case Answer.Yes _ -> {
                    rule.matches().increment();
                    return done(new HbaVerdict.Matched(rule.rule()));
                }
                case Answer.No _ -> next++;
                case Answer.Unknown(var cause) -> {
                    return done(
                            new HbaVerdict.Undecided("rule " + rule.rule().where() + " cannot be decided: " + cause));
                }
                case Answer.Ask(var question) -> {
                    CompletableFuture<?> asked = ask(question).toCompletableFuture();
                    if (!asked.isDone()) {
                        return asked.thenCompose(_ -> decide());
                    }
                }
            }
        }
        return done(new HbaVerdict.NoEntry());
    }

    private static CompletionStage<HbaVerdict> done(HbaVerdict verdict) {
        return CompletableFuture.completedStage(verdict);
    }

    /// Completes normally, with the answer remembered.
    private CompletionStage<?> ask(Question question) {
        return switch (question) {
            case Question.Member(var role) ->
                ports.roles().of(request.database(), request.user(), role).handle((membership, failure) -> {
                    memberships.put(role, failure == null ? membership : RoleMembership.Membership.UNKNOWN);
                    return true;
                });
            case Question.HostName _ ->
                ports.hostNames().confirmedNameOf(address()).handle((name, failure) -> {
                    hostName = failure == null
                            ? new Known.Is<>(name)
                            : new Known.Failed<>("the client's host name could not be looked up");
                    return true;
                });
            case Question.Networks _ ->
                ports.networks().all().handle((all, failure) -> {
                    networks = failure == null
                            ? new Known.Is<>(all)
                            : new Known.Failed<>("the networks of this machine could not be listed");
                    return true;
                });
        };
    }

    private InetAddress address() {
        return request.address().orElseThrow();
    }

    Answer isMember(String role) {
        RoleMembership.Membership known = memberships.get(role);
        if (known == null) {
            return new Answer.Ask(new Question.Member(role));
        }
        return switch (known) {
            case MEMBER -> Answer.YES;
            case NOT_MEMBER -> Answer.NO;
            case UNKNOWN ->
                new Answer.Unknown("it is not known which roles user \"" + request.user() + "\" is a member of");
        };
    }

    Answer hostName(Predicate<Optional<String>> fits) {
        return answer(hostName, fits, new Question.HostName());
    }

    Answer networks(Predicate<List<AddressRange>> fit) {
        return answer(networks, fit, new Question.Networks());
    }

    private static <T> Answer answer(Known<T> known, Predicate<T> fits, Question question) {
        return switch (known) {
            case Known.NotYet<T> _ -> new Answer.Ask(question);
            case Known.Is<T>(var value) -> Answer.of(fits.test(value));
            case Known.Failed<T>(var cause) -> new Answer.Unknown(cause);
        };
    }
}
