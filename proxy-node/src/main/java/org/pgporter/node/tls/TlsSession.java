package org.pgporter.node.tls;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AttributeKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/// What a finished handshake has settled, for whoever authenticates later.
///
/// @param protocol such as `TLSv1.3`
/// @param cipherSuite such as `TLS_AES_128_GCM_SHA256`
/// @param serverName the name by which the client asked for the server (SNI)
/// @param applicationProtocol what ALPN has chosen
/// @param peerCertificates the other side's certificate and those behind it, verified where that was asked for;
///     empty when it showed none
/// @param serverCertificate the one by which the server's end is known: ours to a client, the peer's to PostgreSQL
public record TlsSession(
        String protocol,
        String cipherSuite,
        Optional<String> serverName,
        Optional<String> applicationProtocol,
        List<X509Certificate> peerCertificates,
        Optional<X509Certificate> serverCertificate) {
    private static final AttributeKey<TlsSession> KEY = AttributeKey.valueOf(TlsSession.class, "session");

    /// Empty on a connection without TLS, and before its handshake is over.
    public static Optional<TlsSession> of(Channel channel) {
        return channel.hasAttr(KEY) ? Optional.ofNullable(channel.attr(KEY).get()) : Optional.empty();
    }

    /// The channel binding `tls-server-end-point` (RFC 5929): a hash of the server's certificate, which both ends
    /// know. Empty where the certificate's signature names no hash.
    public Optional<byte[]> tlsServerEndPoint() {
        return serverCertificate.flatMap(ChannelBinding::tlsServerEndPoint);
    }

    /// @param own our certificate, where we are the server
    static TlsSession remember(Channel channel, SslHandler handler, Optional<X509Certificate> own) {
        SSLSession session = handler.engine().getSession();
        List<X509Certificate> peer = peerCertificates(session);
        boolean weAreTheServer = own.isPresent();
        TlsSession remembered = new TlsSession(
                session.getProtocol(),
                session.getCipherSuite(),
                weAreTheServer ? serverName(session) : Optional.empty(),
                Optional.ofNullable(handler.applicationProtocol()),
                peer,
                weAreTheServer ? own : peer.stream().findFirst());
        channel.attr(KEY).set(remembered);
        return remembered;
    }

    private static List<X509Certificate> peerCertificates(SSLSession session) {
        try {
            Certificate[] chain = session.getPeerCertificates();
            return Arrays.stream(chain).map(X509Certificate.class::cast).toList();
        } catch (SSLPeerUnverifiedException _) {
            return List.of();
        }
    }

    private static Optional<String> serverName(SSLSession session) {
        if (!(session instanceof ExtendedSSLSession extended)) {
            return Optional.empty();
        }
        return extended.getRequestedServerNames().stream()
                .filter(SNIHostName.class::isInstance)
                .map(name -> ((SNIHostName) name).getAsciiName())
                .findFirst();
    }
}
