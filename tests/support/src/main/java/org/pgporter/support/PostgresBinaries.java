package org.pgporter.support;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/// The unpacked programs of one PostgreSQL version: `bin/initdb`, `bin/pg_ctl`, `bin/postgres` and what they need.
///
/// They are unpacked once per version and machine into a folder named after the hash of the archive, and stay there for
/// the
/// next run. Each process unpacks beside that folder and then renames, which is atomic: two at the same time cannot see
/// each other's half.
final class PostgresBinaries {
    private static final Map<PostgresMajor, PostgresBinaries> UNPACKED = new EnumMap<>(PostgresMajor.class);

    private final Path folder;

    private PostgresBinaries(Path folder) {
        this.folder = folder;
    }

    static PostgresBinaries of(PostgresMajor major) {
        synchronized (UNPACKED) {
            return UNPACKED.computeIfAbsent(major, PostgresBinaries::unpack);
        }
    }

    /// The program's full path, for example of `initdb`.
    String program(String name) {
        return folder.resolve("bin").resolve(name).toString();
    }

    /// Where all files of these tests live: below the folder for temporary files, one for each user of the machine.
    static Path home() throws IOException {
        var home = Path.of(System.getProperty("java.io.tmpdir"), "pgporter-" + System.getProperty("user.name"));
        try {
            Files.createDirectory(
                    home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        } catch (FileAlreadyExistsException _) {
            // Programs are started from here. Somebody else's folder under our name must not be trusted.
            if (!Files.getOwner(home).getName().equals(System.getProperty("user.name"))) {
                throw new IOException(home + " belongs to " + Files.getOwner(home) + ", not to this user");
            }
        }
        return home;
    }

    private static PostgresBinaries unpack(PostgresMajor major) {
        try (var jar = PostgresBinaries.class.getResourceAsStream(major.resource())) {
            if (jar == null) {
                throw new IllegalStateException(
                        major.resource() + " is missing: run `mvn process-resources` in tests/support");
            }
            var bytes = jar.readAllBytes();
            var hash = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes), 0, 8);
            var target = home().resolve("binaries-" + hash);
            if (!Files.isDirectory(target)) {
                var beside = Files.createTempDirectory(home(), "unpacking-");
                Files.setPosixFilePermissions(beside, PosixFilePermissions.fromString("rwxr-xr-x"));
                unpackJar(bytes, beside);
                moveOrDelete(beside, target);
            }
            return new PostgresBinaries(target);
        } catch (IOException e) {
            throw new UncheckedIOException("could not unpack " + major.resource(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void moveOrDelete(Path beside, Path target) throws IOException {
        try {
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            deleteTree(beside);
            if (!Files.isDirectory(target)) {
                throw e;
            }
            // Another process was faster.
        }
    }

    private static void unpackJar(byte[] jar, Path target) throws IOException {
        try (var zip = new ZipInputStream(new ByteArrayInputStream(jar))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                if (entry.getName().endsWith(".txz")) {
                    unpackTxz(zip, target);
                    return;
                }
            }
        }
        throw new IOException("there is no .txz file in the jar");
    }

    private static void unpackTxz(InputStream txz, Path target) throws IOException {
        try (var tar = new TarArchiveInputStream(new BufferedInputStream(new XZInputStream(txz), 1 << 16))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                var path = target.resolve(entry.getName()).normalize();
                if (!path.startsWith(target)) {
                    throw new IOException("entry outside of the archive: " + entry.getName());
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(path);
                    continue;
                }
                Files.createDirectories(path.getParent());
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                } else if (entry.isLink()) {
                    Files.createLink(path, target.resolve(entry.getLinkName()));
                } else {
                    Files.copy(tar, path);
                    Files.setPosixFilePermissions(path, permissions(entry));
                }
            }
        }
    }

    private static Set<PosixFilePermission> permissions(TarArchiveEntry entry) {
        var permissions = EnumSet.of(
                PosixFilePermission.OWNER_READ,
                PosixFilePermission.OWNER_WRITE,
                PosixFilePermission.GROUP_READ,
                PosixFilePermission.OTHERS_READ);
        if ((entry.getMode() & 0100) != 0) {
            permissions.add(PosixFilePermission.OWNER_EXECUTE);
            permissions.add(PosixFilePermission.GROUP_EXECUTE);
            permissions.add(PosixFilePermission.OTHERS_EXECUTE);
        }
        return permissions;
    }

    /// Deletes a folder with everything in it; what is already gone is fine.
    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> all = Files.walk(root)) {
            for (var path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
