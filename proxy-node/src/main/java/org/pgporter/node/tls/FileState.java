package org.pgporter.node.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Collectors;

/// Whether files are still the same, without reading them: links are followed, because that is how secrets are
/// swapped in containers.
final class FileState {
    private FileState() {}

    /// Something that differs when a file has been written, replaced, removed or linked elsewhere.
    static String of(List<Path> files) {
        return files.stream().map(FileState::of).collect(Collectors.joining("|"));
    }

    private static String of(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return attributes.fileKey() + " " + attributes.size() + " " + attributes.lastModifiedTime();
        } catch (IOException e) {
            return e.getClass().getSimpleName();
        }
    }
}
