package org.pgporter.integration;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.pgporter.support.TestPki;

/// Somebody in the middle: ends TLS with a certificate of its own and speaks TLS to the real server, so that it sees
/// everything. It changes nothing.
final class TlsRelay implements AutoCloseable {
    private static final byte[] SSL_REQUEST = {0, 0, 0, 8, 4, (byte) 0xd2, 22, 47};

    private final ServerSocket listening;
    private final SSLContext towardsClients;
    private final int target;
    private final List<Socket> open = new CopyOnWriteArrayList<>();

    private TlsRelay(ServerSocket listening, SSLContext towardsClients, int target) {
        this.listening = listening;
        this.towardsClients = towardsClients;
        this.target = target;
    }

    /// @param port where the real server listens, on the loopback address
    static TlsRelay to(int port, TestPki.Identity shown) {
        try {
            TlsRelay relay =
                    new TlsRelay(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), context(shown), port);
            Thread.ofVirtual().start(relay::accept);
            return relay;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                open.add(client);
                Thread.ofVirtual().start(() -> relay(client));
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    private void relay(Socket client) {
        try (client;
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
            open.add(server);
            new DataInputStream(client.getInputStream()).readFully(new byte[SSL_REQUEST.length]);
            client.getOutputStream().write('S');
            server.getOutputStream().write(SSL_REQUEST);
            new DataInputStream(server.getInputStream()).readByte();
            SSLSocket outside = (SSLSocket) towardsClients.getSocketFactory().createSocket(client, null, true);
            outside.setUseClientMode(false);
            SSLSocket inside =
                    (SSLSocket) trustingAnybody().getSocketFactory().createSocket(server, "localhost", target, true);
            Thread back = Thread.ofVirtual().start(() -> pump(inside, outside));
            pump(outside, inside);
            back.join();
        } catch (IOException | GeneralSecurityException _) {
            // One of the two has hung up.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pump(SSLSocket from, SSLSocket to) {
        try (InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            in.transferTo(out);
        } catch (IOException _) {
            // One of the two has hung up.
        }
    }

    private static SSLContext context(TestPki.Identity shown) {
        try {
            char[] password = "changeit".toCharArray();
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(null, null);
            keys.setKeyEntry("relay", shown.bundle().getKeyPair().getPrivate(), password, new X509Certificate[] {
                shown.bundle().getCertificate()
            });
            KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
            factory.init(keys, password);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(factory.getKeyManagers(), null, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLContext trustingAnybody() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                null,
                new TrustManager[] {
                    new X509TrustManager() {
                        @Override
                        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

                        @Override
                        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

                        @Override
                        public X509Certificate[] getAcceptedIssuers() {
                            return new X509Certificate[0];
                        }
                    }
                },
                null);
        return context;
    }

    @Override
    public void close() {
        try {
            listening.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
