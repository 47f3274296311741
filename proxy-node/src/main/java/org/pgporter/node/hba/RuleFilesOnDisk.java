package org.pgporter.node.hba;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.pgporter.auth.hba.RuleFiles;
import org.pgporter.protocol.message.WireText;

/// Files of rules, as they are when they are read.
final class RuleFilesOnDisk implements RuleFiles {
    /// Thousands of rules fit; what is larger is the wrong file.
    static final int MOST_BYTES = 1024 * 1024;

    private static final String SUFFIX = ".conf";

    @Override
    public String locate(String name, String outer) throws Unreadable {
        try {
            return Path.of(outer)
                    .toAbsolutePath()
                    .resolveSibling(name)
                    .normalize()
                    .toString();
        } catch (InvalidPathException _) {
            throw new Unreadable("is no name of a file", false);
        }
    }

    @Override
    public String read(String path) throws Unreadable {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new Unreadable("has more than " + MOST_BYTES + " bytes", false);
            }
            return WireText.decode(bytes);
        } catch (IOException | InvalidPathException e) {
            throw unreadable(e);
        }
    }

    @Override
    public List<String> configurationFilesIn(String folder) throws Unreadable {
        try (Stream<Path> files = Files.list(Path.of(folder))) {
            return files.filter(file -> isConfiguration(String.valueOf(file.getFileName())))
                    .filter(Files::isRegularFile)
                    .map(Path::toString)
                    .sorted(Comparator.comparing(
                            name -> new String(name.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1)))
                    .toList();
        } catch (IOException | InvalidPathException e) {
            throw unreadable(e);
        }
    }

    private static boolean isConfiguration(String name) {
        return name.endsWith(SUFFIX) && name.length() > SUFFIX.length() && !name.startsWith(".");
    }

    private static Unreadable unreadable(Exception e) {
        return switch (e) {
            case NoSuchFileException _ -> new Unreadable("does not exist", true);
            case NotDirectoryException _ -> new Unreadable("is no folder", false);
            case AccessDeniedException _ -> new Unreadable("may not be read by this process", false);
            default -> new Unreadable("cannot be read", false);
        };
    }
}
