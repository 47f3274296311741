package org.pgporter.support;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.exception.ScramException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.pgporter.protocol.message.Authentication;
import org.pgporter.protocol.message.AuthenticationCleartextPassword;
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.AuthenticationOk;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.AuthenticationSaslFinal;
import org.pgporter.protocol.message.AuthenticationUnsupported;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;

/// How a client that knows its password answers a server. SCRAM is done by a library that PgPorter itself does not use,
/// so
/// the two check each other.
final class PasswordAnswers {
    private final String user;
    private final String password;
    private Optional<ScramClient> scram = Optional.empty();

    PasswordAnswers(String user, String password) {
        this.user = user;
        this.password = password;
    }

    /// The answer to this request; empty when there is none to give.
    ///
    /// @throws ScramException when the server does not prove that it knows the password
    Optional<FrontendMessage> to(Authentication request) throws ScramException {
        return switch (request) {
            case AuthenticationOk _ -> Optional.empty();
            case AuthenticationCleartextPassword _ -> Optional.of(new PasswordMessage(Bytes.ofText(password)));
            case AuthenticationMd5Password(var salt) ->
                Optional.of(new PasswordMessage(Bytes.ofText(md5(user, password, salt.toArray()))));
            case AuthenticationSasl(var mechanisms) -> Optional.of(begin(mechanisms));
            case AuthenticationSaslContinue(var data) -> {
                started().serverFirstMessage(data.toText());
                yield Optional.of(new SaslResponse(
                        Bytes.ofText(started().clientFinalMessage().toString())));
            }
            case AuthenticationSaslFinal(var data) -> {
                started().serverFinalMessage(data.toText());
                yield Optional.empty();
            }
            case AuthenticationUnsupported it ->
                throw new AssertionError("the server asks for authentication of kind " + it.code());
        };
    }

    private FrontendMessage begin(List<String> mechanisms) {
        // PostgreSQL takes the user from the startup packet and ignores the name in here.
        var client = ScramClient.builder()
                .advertisedMechanisms(mechanisms)
                .username("*")
                .password(password.toCharArray())
                .build();
        scram = Optional.of(client);
        return new SaslInitialResponse(
                client.getScramMechanism().getName(),
                Optional.of(Bytes.ofText(client.clientFirstMessage().toString())));
    }

    private ScramClient started() {
        return scram.orElseThrow(
                () -> new AssertionError("the server continues a SASL exchange that it did not begin"));
    }

    /// What a client answers to an MD5 challenge: two rounds, the second with the salt.
    static String md5(String user, String password, byte[] salt) {
        return "md5"
                + md5Hex(
                        md5Hex(password.getBytes(StandardCharsets.UTF_8), user.getBytes(StandardCharsets.UTF_8))
                                .getBytes(StandardCharsets.US_ASCII),
                        salt);
    }

    private static String md5Hex(byte[] first, byte[] second) {
        try {
            var md5 = MessageDigest.getInstance("MD5");
            md5.update(first);
            return HexFormat.of().formatHex(md5.digest(second));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
