package org.pgporter.node.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.pkitesting.CertificateBuilder;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBMPString;
import org.bouncycastle.asn1.DERIA5String;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.support.PgTools;

/// Subjects as OpenSSL writes them, which is how PostgreSQL compares them.
class CertificateNameTest {
    @TempDir
    private Path folder = Path.of("");

    static Stream<X500Name> subjects() {
        ASN1ObjectIdentifier unknown = new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.7");
        return Stream.of(
                name(one(BCStyle.CN, utf8("alice"))),
                name(one(BCStyle.C, printable("DE")), one(BCStyle.O, utf8("Example AG")), one(BCStyle.CN, utf8("bob"))),
                name(one(BCStyle.O, utf8("a, b + c \"d\" \\ <e>; f=g #h"))),
                name(one(BCStyle.CN, utf8("#first")), one(BCStyle.OU, utf8(" both ends "))),
                name(one(BCStyle.CN, utf8(" "))),
                name(one(BCStyle.CN, utf8("Jürgen Ångström 漢字 😀"))),
                name(one(BCStyle.CN, new DERBMPString("Jürgen"))),
                name(one(BCStyle.CN, utf8("tab\tnewline\ndelete\u007f"))),
                name(one(BCStyle.E, new DERIA5String("alice@example.com")), one(BCStyle.UID, utf8("a1"))),
                name(one(BCStyle.DC, new DERIA5String("example")), one(BCStyle.DC, new DERIA5String("com"))),
                name(one(unknown, utf8("what is this")), one(BCStyle.CN, utf8("x"))),
                name(one(BCStyle.OU, utf8("unit")), new RDN(new AttributeTypeAndValue[] {
                    new AttributeTypeAndValue(BCStyle.CN, utf8("several")),
                    new AttributeTypeAndValue(BCStyle.UID, utf8("at once"))
                })),
                name(
                        one(BCStyle.SURNAME, utf8("S")),
                        one(BCStyle.GIVENNAME, utf8("G")),
                        one(BCStyle.SERIALNUMBER, printable("7")),
                        one(BCStyle.STREET, utf8("street")),
                        one(BCStyle.T, utf8("Dr")),
                        one(BCStyle.L, utf8("Berlin")),
                        one(BCStyle.ST, utf8("state"))));
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void shouldWriteASubjectAsOpenssl(X500Name subject) throws Exception {
        Optional<PgTools> openssl = PgTools.named("openssl");
        assumeTrue(openssl.isPresent(), "openssl is not on the PATH");
        X509Certificate certificate = certificate(subject);
        Path file = Files.writeString(
                folder.resolve("x.pem"),
                "-----BEGIN CERTIFICATE-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
                        + "\n-----END CERTIFICATE-----\n");
        PgTools.Result result = openssl.get()
                .run(Map.of(), "x509", "-in", file.toString(), "-noout", "-subject", "-nameopt", "RFC2253");
        String expected = result.stdout().replaceFirst("^subject=", "").replaceFirst("\n$", "");

        assertThat(CertificateName.subjectOf(certificate).orElseThrow().distinguishedName())
                .isEqualTo(expected);
    }

    @Test
    void shouldTakeTheFirstCommonName() throws Exception {
        assertThat(commonName(name(one(BCStyle.CN, utf8("first")), one(BCStyle.CN, utf8("second")))))
                .contains("first");
        assertThat(commonName(name(one(BCStyle.CN, new DERBMPString("Jürgen")))))
                .contains("Jürgen");
        assertThat(commonName(name(one(BCStyle.O, utf8("nobody"))))).isEmpty();
        assertThat(commonName(name(one(BCStyle.CN, utf8(""))))).isEmpty();
    }

    @Test
    void shouldNotReadPastAZero() throws Exception { // checklist 42
        assertThat(CertificateName.subjectOf(certificate(name(one(BCStyle.CN, utf8("alice\0.evil.example"))))))
                .isEmpty();
        assertThat(CertificateName.subjectOf(
                        certificate(name(one(BCStyle.CN, utf8("alice")), one(BCStyle.O, utf8("x\0y"))))))
                .isEmpty();
    }

    private static Optional<String> commonName(X500Name subject) throws Exception {
        return CertificateName.subjectOf(certificate(subject)).orElseThrow().commonName();
    }

    private static X500Name name(RDN... parts) {
        return new X500Name(parts);
    }

    private static RDN one(ASN1ObjectIdentifier type, ASN1Encodable value) {
        return new RDN(type, value);
    }

    private static DERUTF8String utf8(String text) {
        return new DERUTF8String(text);
    }

    private static DERPrintableString printable(String text) {
        return new DERPrintableString(text);
    }

    private static X509Certificate certificate(X500Name subject) throws Exception {
        KeyPair keys = new CertificateBuilder()
                .ecp256()
                .subject("CN=key")
                .setIsCertificateAuthority(true)
                .buildSelfSigned()
                .getKeyPair();
        Instant now = Instant.now();
        return new JcaX509CertificateConverter()
                .getCertificate(new JcaX509v3CertificateBuilder(
                                new X500Name("CN=issuer"),
                                BigInteger.ONE,
                                Date.from(now.minusSeconds(60)),
                                Date.from(now.plusSeconds(3600)),
                                subject,
                                keys.getPublic())
                        .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
    }
}
