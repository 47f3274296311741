package org.pgporter.node.transport;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The file by which a Unix socket is found. It is bound under another name and moved into place with its
/// permissions set, so that nobody meets it half done; and because Netty deletes by name what it has bound, a
/// file that somebody else has put at our place since is not deleted with ours.
///
/// @param path where clients look for it
/// @param key what tells it from a later file of the same name
record SocketFile(Path path, Object key) {
    private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);

    /// Where to bind; short, because the operating system allows about 100 bytes for the whole path.
    static Path bindPath(Path path) {
        return path.resolveSibling(path.getFileName() + ".new");
    }

    /// Removes a socket that nobody listens on any more.
    ///
    /// @throws IOException when somebody listens there, or the file is no socket
    static void removeStale(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .isOther()) {
            throw new IOException(path + " exists and is no socket");
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false); // a listener with a full backlog answers late, but is alive
            probe.connect(UnixDomainSocketAddress.of(path));
        } catch (ConnectException _) {
            Files.deleteIfExists(path);
            return;
        } catch (IOException e) {
            throw new IOException("cannot tell whether " + path + " is in use: " + e.getMessage(), e);
        }
        throw new IOException("another process listens on " + path);
    }

    /// Gives the socket that is bound under [#bindPath] its permissions and its name.
    static SocketFile moveIntoPlace(Path path, int mode) throws IOException {
        Path bound = bindPath(path);
        Files.setPosixFilePermissions(bound, permissions(mode));
        Object key = Objects.requireNonNull(
                Files.readAttributes(bound, BasicFileAttributes.class).fileKey(), "files have no identity here");
        Files.move(bound, path, StandardCopyOption.ATOMIC_MOVE);
        return new SocketFile(path, key);
    }

    void removeIfOurs() {
        try {
            if (key.equals(Files.readAttributes(path, BasicFileAttributes.class).fileKey())) {
                Files.deleteIfExists(path);
            }
        } catch (NoSuchFileException _) {
            // Somebody has removed it already.
        } catch (IOException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.LISTENER, path)
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("socket file could not be removed");
        }
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] fromHighest = PosixFilePermission.values();
        for (int bit = 0; bit < fromHighest.length; bit++) {
            if ((mode & 0400 >> bit) != 0) {
                permissions.add(fromHighest[bit]);
            }
        }
        return permissions;
    }
}
