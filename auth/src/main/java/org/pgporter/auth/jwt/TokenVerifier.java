package org.pgporter.auth.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.util.Base64URL;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.pgporter.auth.Secret;

/// Decides about the tokens of one issuer. Safe for threads.
///
/// ```
///  read and check header and claims ──► find the key ──► check the signature ──► Accepted
///        (executor)        │         (no thread waits)       (executor)   │
///                          └────────────────► Refused ◄───────────────────┘
/// ```
///
/// What it says is checked before the signature, because that is cheap; it is believed only afterwards.
public final class TokenVerifier {
    private final TokenPolicy policy;
    private final TokenKeys keys;
    private final Executor cpu;
    private final InstantSource clock;
    private final TokenCache cache = new TokenCache();

    /// @param cpu where tokens are read and signatures are checked, up to a millisecond each; not an event
    ///     loop. When it refuses, the answer is [TokenVerdict.Unavailable].
    public TokenVerifier(TokenPolicy policy, TokenKeys keys, Executor cpu, InstantSource clock) {
        this.policy = policy;
        this.keys = keys;
        this.cpu = cpu;
        this.clock = clock;
    }

    public TokenPolicy policy() {
        return policy;
    }

    /// The `iss` of a token that nobody has believed yet; empty if it is not a token, or has none.
    public static Optional<String> claimedIssuer(Secret token) {
        try {
            return CompactToken.parse(token.reveal(), TokenPolicy.MOST_LENGTH)
                    .claims()
                    .text("iss");
        } catch (TokenRefused _) {
            return Optional.empty();
        }
    }

    /// Never blocks; the stage completes normally in all cases.
    public CompletionStage<TokenVerdict> verify(Secret token) {
        return later(() -> read(token)).thenCompose(read -> switch (read) {
            case Read.Ended(var verdict) -> CompletableFuture.completedStage(verdict);
            case Read.Plausible plausible ->
                keys.find(plausible.token().keyId(), plausible.token().algorithm())
                        .thenCompose(answer -> decide(plausible, answer));
        });
    }

    private sealed interface Read {
        record Ended(TokenVerdict verdict) implements Read {}

        /// @param known the key that has been found to fit, a moment ago
        record Plausible(
                ByteBuffer digest, CompactToken token, Instant expires, Optional<VerificationKey> known, Instant now)
                implements Read {}
    }

    private CompletionStage<Read> later(java.util.function.Supplier<Read> work) {
        try {
            return CompletableFuture.supplyAsync(work, cpu);
        } catch (RejectedExecutionException _) {
            return CompletableFuture.completedStage(new Read.Ended(tooBusy()));
        }
    }

    private static TokenVerdict tooBusy() {
        return new TokenVerdict.Unavailable("too many tokens are being checked");
    }

    private Read read(Secret secret) {
        try {
            String text = secret.reveal();
            if (text.length() > policy.maxLength()) {
                throw new TokenRefused("the token is longer than " + policy.maxLength() + " characters");
            }
            Instant now = clock.instant();
            ByteBuffer digest = digest(text);
            Optional<TokenCache.Signed> remembered = cache.find(digest, now);
            CompactToken token =
                    remembered.isPresent() ? remembered.get().token() : CompactToken.parse(text, policy.maxLength());
            policy.checkHeader(token);
            Instant expires = policy.checkClaims(token.claims(), now);
            return new Read.Plausible(digest, token, expires, remembered.map(TokenCache.Signed::key), now);
        } catch (TokenRefused refused) {
            return new Read.Ended(new TokenVerdict.Refused(refused.reason()));
        }
    }

    private CompletionStage<TokenVerdict> decide(Read.Plausible read, TokenKeys.Answer answer) {
        return switch (answer) {
            case TokenKeys.Answer.Unknown _ ->
                CompletableFuture.completedStage(new TokenVerdict.Refused("the token is signed with an unknown key"));
            case TokenKeys.Answer.Unavailable(var cause) ->
                CompletableFuture.completedStage(new TokenVerdict.Unavailable(cause));
            case TokenKeys.Answer.Found(var candidates) -> {
                TokenVerdict accepted = new TokenVerdict.Accepted(read.token().claims(), read.expires());
                if (read.known().filter(candidates::contains).isPresent()) {
                    yield CompletableFuture.completedStage(accepted);
                }
                try {
                    yield CompletableFuture.supplyAsync(
                            () -> {
                                for (VerificationKey key : candidates) {
                                    if (signed(read.token(), key)) {
                                        remember(read, key);
                                        return accepted;
                                    }
                                }
                                return new TokenVerdict.Refused("the token's signature is wrong");
                            },
                            cpu);
                } catch (RejectedExecutionException _) {
                    yield CompletableFuture.completedStage(tooBusy());
                }
            }
        };
    }

    private void remember(Read.Plausible read, VerificationKey key) {
        Instant longest = read.now().plus(TokenCache.LONGEST);
        Instant until = read.expires().isBefore(longest) ? read.expires() : longest;
        if (read.now().isBefore(until)) {
            cache.keep(read.digest(), new TokenCache.Signed(read.token(), key, until));
        }
    }

    private static boolean signed(CompactToken token, VerificationKey key) {
        if (!token.algorithm().fits(key.key())) {
            return false;
        }
        try {
            return switch (key.key()) {
                case RSAPublicKey rsa -> signed(token, new RSASSAVerifier(rsa));
                case ECPublicKey curve -> signed(token, new ECDSAVerifier(curve));
                default -> {
                    Signature ed25519 = Signature.getInstance("Ed25519");
                    ed25519.initVerify(key.key());
                    ed25519.update(token.signed());
                    yield ed25519.verify(token.signature());
                }
            };
        } catch (JOSEException | SignatureException | InvalidKeyException _) {
            return false; // of a length that no such signature has
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    private static boolean signed(CompactToken token, JWSVerifier verifier) throws JOSEException {
        return verifier.verify(
                new JWSHeader.Builder(token.algorithm().library()).build(),
                token.signed(),
                Base64URL.encode(token.signature()));
    }

    private static ByteBuffer digest(String text) {
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Tokens remembered, at most [TokenCache#MOST_ENTRIES].
    int remembered() {
        return cache.size();
    }
}
