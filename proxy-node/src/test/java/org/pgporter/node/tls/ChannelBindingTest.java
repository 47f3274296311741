package org.pgporter.node.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.pkitesting.CertificateBuilder;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import org.junit.jupiter.api.Test;

class ChannelBindingTest {
    @Test
    void shouldHashACertificateAsItsSignatureDoes() throws Exception {
        assertHash("SHA-256", CertificateBuilder.Algorithm.ecp256);
        assertHash("SHA-384", CertificateBuilder.Algorithm.ecp384);
        assertHash("SHA-256", CertificateBuilder.Algorithm.rsa2048);
    }

    @Test
    void shouldHaveNoneWhereTheSignatureNamesNoHash() throws Exception {
        assertThat(ChannelBinding.tlsServerEndPoint(certificate(CertificateBuilder.Algorithm.ed25519)))
                .isEmpty();
    }

    private static void assertHash(String digest, CertificateBuilder.Algorithm algorithm) throws Exception {
        X509Certificate certificate = certificate(algorithm);
        assertThat(ChannelBinding.tlsServerEndPoint(certificate).orElseThrow())
                .as(certificate.getSigAlgName())
                .isEqualTo(MessageDigest.getInstance(digest).digest(certificate.getEncoded()));
    }

    private static X509Certificate certificate(CertificateBuilder.Algorithm algorithm) throws Exception {
        return new CertificateBuilder()
                .algorithm(algorithm)
                .setIsCertificateAuthority(true)
                .subject("CN=localhost")
                .buildSelfSigned()
                .getCertificate();
    }
}
