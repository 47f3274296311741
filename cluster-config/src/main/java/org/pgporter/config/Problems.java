package org.pgporter.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Collects what is wrong in one file, and knows on which line each key stands.
final class Problems {
    private final String file;
    private final List<ConfigProblem> errors = new ArrayList<>();
    private final List<ConfigProblem> warnings = new ArrayList<>();
    private final Map<String, Integer> lines = new HashMap<>();

    Problems(String file) {
        this.file = file;
    }

    String file() {
        return file;
    }

    void standsOn(String path, int line) {
        lines.putIfAbsent(path, line);
    }

    void error(String path, String message, String remedy) {
        error(lineOf(path), path, message, remedy);
    }

    void error(int line, String path, String message, String remedy) {
        errors.add(new ConfigProblem(file, line, path, message, remedy));
    }

    void warning(String path, String message, String remedy) {
        warnings.add(new ConfigProblem(file, lineOf(path), path, message, remedy));
    }

    boolean isEmpty() {
        return errors.isEmpty();
    }

    List<ConfigProblem> errors() {
        return inOrder(errors);
    }

    List<ConfigProblem> warnings() {
        return inOrder(warnings);
    }

    /// Reports what a record's constructor found between sections, unless one of the values it compares is missing
    /// because it was broken: that has been reported, and the comparison was with a default.
    void contradiction(ConfigException.Violation violation) {
        boolean consequence = errors.stream()
                .map(ConfigProblem::path)
                .anyMatch(broken -> isBeneath(broken, violation.path())
                        || (violation.involved().contains(name(broken))
                                && (broken.startsWith("general.")
                                        || scope(broken).equals(scope(violation.path())))));
        if (!consequence) {
            error(violation.path(), violation.message(), violation.remedy());
        }
    }

    /// The line of the key, or of the nearest section around it.
    int lineOf(String path) {
        String at = path;
        while (!at.isEmpty()) {
            Integer line = lines.get(at);
            if (line != null) {
                return line;
            }
            at = at.substring(0, Math.max(0, Math.max(at.lastIndexOf('.'), at.lastIndexOf('['))));
        }
        return 0;
    }

    private static boolean isBeneath(String path, String section) {
        return path.startsWith(section + ".") || path.startsWith(section + "[");
    }

    private static String name(String path) {
        String last = path.substring(path.lastIndexOf('.') + 1);
        int index = last.indexOf('[');
        return index < 0 ? last : last.substring(0, index);
    }

    /// The pool that a key belongs to: a contradiction in one pool has nothing to do with a mistake in another.
    private static String scope(String path) {
        int users = path.indexOf(".users");
        return path.substring(0, users >= 0 ? users : Math.max(0, path.lastIndexOf('.')));
    }

    private static List<ConfigProblem> inOrder(List<ConfigProblem> problems) {
        return problems.stream()
                .sorted(Comparator.comparingInt(ConfigProblem::line))
                .distinct()
                .toList();
    }
}
