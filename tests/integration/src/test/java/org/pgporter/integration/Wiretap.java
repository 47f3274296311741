package org.pgporter.integration;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.support.TestPostgres;

/// Stands between a node and PostgreSQL and writes down what the node says after the login.
final class Wiretap implements AutoCloseable {
    private static final byte PASSWORD = 'p';

    private final TestPostgres postgres;
    private final ServerSocket listener;
    private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
    private final Queue<FrontendMessage> heard = new ConcurrentLinkedQueue<>();

    Wiretap(TestPostgres postgres) {
        this.postgres = postgres;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getByName(postgres.host()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().name("wiretap").start(this::acceptAll);
    }

    int port() {
        return listener.getLocalPort();
    }

    /// What was said since the last call, on all connections.
    List<FrontendMessage> heard() {
        List<FrontendMessage> all = new ArrayList<>();
        for (FrontendMessage next = heard.poll(); next != null; next = heard.poll()) {
            all.add(next);
        }
        return all;
    }

    private void acceptAll() {
        try {
            while (true) {
                Socket node = listener.accept();
                Socket server = new Socket(postgres.host(), postgres.port());
                node.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                sockets.addAll(List.of(node, server));
                Thread.ofVirtual().name("wiretap-frontend").start(() -> passOnAndListen(node, server));
                Thread.ofVirtual().name("wiretap-backend").start(() -> passOn(server, node));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void passOnAndListen(Socket from, Socket to) {
        try (from;
                to) {
            DataInputStream in = new DataInputStream(from.getInputStream());
            byte[] startup = in.readNBytes(in.readInt() - Integer.BYTES);
            write(Unpooled.buffer().writeInt(Integer.BYTES + startup.length).writeBytes(startup), to);
            while (true) {
                byte type = in.readByte();
                byte[] body = in.readNBytes(in.readInt() - Integer.BYTES);
                // First this, then the answer that the test waits for.
                if (type != PASSWORD) {
                    heard.add(FrontendMessage.decode(type, Unpooled.wrappedBuffer(body)));
                }
                write(
                        Unpooled.buffer()
                                .writeByte(type)
                                .writeInt(Integer.BYTES + body.length)
                                .writeBytes(body),
                        to);
            }
        } catch (IOException e) {
            // one of them has closed
        }
    }

    private static void write(ByteBuf message, Socket to) throws IOException {
        message.readBytes(to.getOutputStream(), message.readableBytes());
    }

    private static void passOn(Socket from, Socket to) {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // one of them has closed
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
