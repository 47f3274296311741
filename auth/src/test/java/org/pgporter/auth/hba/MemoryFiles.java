package org.pgporter.auth.hba;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Files that are not there, by path.
final class MemoryFiles implements RuleFiles {
    private final Map<String, String> files = new HashMap<>();

    MemoryFiles with(String path, String... lines) {
        files.put(path, String.join("\n", lines));
        return this;
    }

    @Override
    public String locate(String name, String outer) {
        return name.startsWith("/") ? name : outer.substring(0, outer.lastIndexOf('/') + 1) + name;
    }

    @Override
    public String read(String path) throws Unreadable {
        String text = files.get(path);
        if (text == null) {
            throw new Unreadable("does not exist", true);
        }
        return text;
    }

    @Override
    public List<String> configurationFilesIn(String folder) throws Unreadable {
        List<String> found = files.keySet().stream()
                .filter(path -> path.startsWith(folder + "/") && path.endsWith(".conf"))
                .sorted()
                .toList();
        if (found.isEmpty()) {
            throw new Unreadable("does not exist", true);
        }
        return found;
    }
}
