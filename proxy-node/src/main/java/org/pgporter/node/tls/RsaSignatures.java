package org.pgporter.node.tls;

import io.netty.handler.ssl.OpenSslAsyncPrivateKeyMethod;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLEngine;

/// Signs handshakes of BoringSSL with an RSA key away from the event loop, where the signature would take as long
/// as dozens of queries. Keys of elliptic curves are so much faster that the way to another thread would cost more.
final class RsaSignatures implements OpenSslAsyncPrivateKeyMethod {
    private final PrivateKey key;
    private final Executor work;

    RsaSignatures(PrivateKey key, Executor work) {
        this.key = key;
        this.work = work;
    }

    @Override
    public Future<byte[]> sign(SSLEngine engine, int algorithm, byte[] input) {
        Promise<byte[]> signed = ImmediateEventExecutor.INSTANCE.newPromise();
        try {
            work.execute(() -> {
                try {
                    Signature signature = signature(algorithm);
                    signature.initSign(key);
                    signature.update(input);
                    signed.setSuccess(signature.sign());
                } catch (GeneralSecurityException | RuntimeException e) {
                    signed.setFailure(e);
                }
            });
        } catch (RejectedExecutionException e) {
            signed.setFailure(e);
        }
        return signed;
    }

    /// Only key exchanges without forward secrecy need it, and none is offered.
    @Override
    public Future<byte[]> decrypt(SSLEngine engine, byte[] input) {
        return ImmediateEventExecutor.INSTANCE.newFailedFuture(
                new SignatureException("key exchange by RSA decryption is not offered"));
    }

    private static Signature signature(int algorithm) throws GeneralSecurityException {
        if (algorithm == SSL_SIGN_RSA_PSS_RSAE_SHA256) {
            return pss("SHA-256", MGF1ParameterSpec.SHA256, 32);
        }
        if (algorithm == SSL_SIGN_RSA_PSS_RSAE_SHA384) {
            return pss("SHA-384", MGF1ParameterSpec.SHA384, 48);
        }
        if (algorithm == SSL_SIGN_RSA_PSS_RSAE_SHA512) {
            return pss("SHA-512", MGF1ParameterSpec.SHA512, 64);
        }
        if (algorithm == SSL_SIGN_RSA_PKCS1_SHA256) {
            return Signature.getInstance("SHA256withRSA");
        }
        if (algorithm == SSL_SIGN_RSA_PKCS1_SHA384) {
            return Signature.getInstance("SHA384withRSA");
        }
        if (algorithm == SSL_SIGN_RSA_PKCS1_SHA512) {
            return Signature.getInstance("SHA512withRSA");
        }
        throw new SignatureException("signature algorithm " + algorithm + " is not offered");
    }

    private static Signature pss(String digest, MGF1ParameterSpec mask, int saltLength)
            throws GeneralSecurityException {
        Signature signature = Signature.getInstance("RSASSA-PSS");
        signature.setParameter(
                new PSSParameterSpec(digest, "MGF1", mask, saltLength, PSSParameterSpec.TRAILER_FIELD_BC));
        return signature;
    }
}
