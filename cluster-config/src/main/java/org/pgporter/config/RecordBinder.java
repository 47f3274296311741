package org.pgporter.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/// Fills records from the nodes of a YAML document. The records are the schema. A value that cannot be used is
/// reported and its default stands in for it, so that the rest is still checked.
final class RecordBinder {
    private static final Set<Tag> TEXT_TAGS = Set.of(Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL, Tag.NULL);
    private static final String ROOT = "";

    private final Problems problems;
    private final References references;
    private final Scalars scalars;
    /// Paths whose text came out of a reference: what a record says about them must not quote the value.
    private final Set<String> hidden = new HashSet<>();

    RecordBinder(Problems problems, References references) {
        this.problems = problems;
        this.references = references;
        this.scalars = new Scalars(problems);
    }

    /// Fills the record of the whole file; empty when something without a default is missing or two sections
    /// contradict each other.
    Optional<ProxyConfig> bindRoot(Node root) {
        return bind(ProxyConfig.class, root, ROOT);
    }

    private <R extends Record> Optional<R> bind(Class<R> type, Node node, String path) {
        Optional<Map<String, Node>> entries = mapping(node, path);
        if (entries.isEmpty()) {
            return Optional.empty();
        }
        Set<String> known = keys(type);
        entries.get().keySet().stream()
                .filter(key -> !known.contains(key))
                .forEach(key -> unknown(type, key, known, path));
        return build(type, defaults(type), entries.get(), path);
    }

    private <R extends Record> Optional<R> build(
            Class<R> type, Optional<? extends Record> defaults, Map<String, Node> entries, String path) {
        RecordComponent[] components = type.getRecordComponents();
        List<Optional<?>> values = new ArrayList<>();
        boolean complete = true;
        for (RecordComponent component : components) {
            Optional<?> value = value(component, defaults, entries, path);
            complete &= value.isPresent();
            values.add(value);
        }
        if (!complete) {
            return Optional.empty();
        }
        Object[] present = values.stream().map(Optional::get).toArray();
        try {
            return Optional.of(Records.create(type, present));
        } catch (ConfigException e) {
            report(e, path);
            return repaired(type, defaults, components, present, e);
        }
    }

    /// The record with defaults in place of what its constructor refused. It is only used to go on checking.
    private <R extends Record> Optional<R> repaired(
            Class<R> type,
            Optional<? extends Record> defaults,
            RecordComponent[] components,
            Object[] values,
            ConfigException refused) {
        Set<String> broken = new HashSet<>();
        refused.violations().forEach(violation -> broken.add(violation.path().split("[.\\[]", 2)[0]));
        for (int i = 0; i < components.length; i++) {
            if (broken.contains(Records.key(components[i]))) {
                Optional<?> fallback = fallback(components[i], defaults);
                if (fallback.isEmpty()) {
                    return Optional.empty();
                }
                values[i] = fallback.get();
            }
        }
        try {
            return Optional.of(Records.create(type, values));
        } catch (ConfigException _) {
            return Optional.empty();
        }
    }

    private void report(ConfigException e, String path) {
        for (ConfigException.Violation violation : e.violations()) {
            String at = child(path, violation.path());
            if (path.equals(ROOT)) {
                problems.contradiction(violation);
            } else if (hidden.contains(at)) {
                problems.error(at, violation.message().replaceFirst(", was .*", ""), violation.remedy());
            } else {
                problems.error(at, violation.message(), violation.remedy());
            }
        }
    }

    private Optional<?> value(
            RecordComponent component, Optional<? extends Record> defaults, Map<String, Node> entries, String path) {
        if (component.isAnnotationPresent(Flat.class)) {
            Class<? extends Record> group = component.getType().asSubclass(Record.class);
            return build(group, recordDefault(component, defaults, group), entries, path);
        }
        String key = Records.key(component);
        String at = child(path, key);
        Node node = entries.get(key);
        if (node == null) {
            Optional<?> fallback = fallback(component, defaults);
            if (fallback.isEmpty()) {
                problems.error(at, "is missing", "");
            }
            return fallback;
        }
        if (component.isAnnotationPresent(CommaSeparated.class) && node instanceof ScalarNode && !isNull(node)) {
            return scalar(String.class, false, node, at).map(text -> commaSeparated((String) text));
        }
        Optional<?> read =
                convert(component.getGenericType(), component.isAnnotationPresent(InSeconds.class), node, at);
        return read.isPresent() ? read : fallback(component, defaults);
    }

    private Optional<?> convert(Type type, boolean inSeconds, Node node, String path) {
        return switch (type) {
            case ParameterizedType generic
            when generic.getRawType() == Optional.class ->
                convert(generic.getActualTypeArguments()[0], inSeconds, node, path)
                        .map(Optional::of);
            case ParameterizedType generic
            when generic.getRawType() == List.class -> list(generic.getActualTypeArguments()[0], node, path);
            case ParameterizedType generic -> map(generic.getActualTypeArguments()[1], node, path);
            case Class<?> rules when rules == RuleSource.class -> ruleSource(node, path);
            case Class<?> scalar when Scalars.isScalar(scalar) -> scalar(scalar, inSeconds, node, path);
            case Class<?> section -> bind(section.asSubclass(Record.class), node, path);
            default -> throw new IllegalStateException("no notation for " + type);
        };
    }

    private Optional<?> list(Type element, Node node, String path) {
        if (isNull(node)) {
            return Optional.of(List.of());
        }
        if (!(node instanceof SequenceNode sequence)) {
            problems.error(path, "must be a list", "write each entry on a line that begins with `-`");
            return Optional.empty();
        }
        List<Object> values = new ArrayList<>();
        boolean complete = true;
        for (int i = 0; i < sequence.getValue().size(); i++) {
            Node entry = sequence.getValue().get(i);
            String at = path + "[" + i + "]";
            problems.standsOn(at, line(entry));
            Optional<?> value = convert(element, false, entry, at);
            complete &= value.isPresent();
            value.ifPresent(values::add);
        }
        // One broken entry spoils the list, or the check for an empty list would find a second mistake that is none.
        return complete || !values.isEmpty() ? Optional.of(values) : Optional.empty();
    }

    private static List<String> commaSeparated(String text) {
        return text.isBlank()
                ? List.of()
                : Stream.of(text.split(",", -1)).map(String::strip).toList();
    }

    private Optional<?> map(Type element, Node node, String path) {
        Optional<Map<String, Node>> entries = mapping(node, path);
        Map<String, Object> values = new LinkedHashMap<>();
        entries.ifPresent(present -> present.forEach((key, value) ->
                convert(element, false, value, child(path, key)).ifPresent(read -> values.put(key, read))));
        return entries.isPresent() ? Optional.of(values) : Optional.empty();
    }

    private Optional<?> scalar(Class<?> type, boolean inSeconds, Node node, String path) {
        if (!(node instanceof ScalarNode scalar)) {
            problems.error(path, "must be a single value", "");
            return Optional.empty();
        }
        if (!TEXT_TAGS.contains(scalar.getTag())) {
            problems.error(path, "has a YAML tag (`!…`), and there are none here", "quote text that begins with `!`");
            return Optional.empty();
        }
        if (isNull(node)) {
            problems.error(path, "has no value", "remove the key, or give it one");
            return Optional.empty();
        }
        try {
            References.Resolved resolved = references.resolve(scalar.getValue());
            if (resolved.hidden()) {
                hidden.add(path);
            }
            return scalars.read(type, inSeconds, resolved, path);
        } catch (References.Unresolved e) {
            problems.error(path, String.valueOf(e.getMessage()), "");
            return Optional.empty();
        }
    }

    /// A text, or a section with `path` or `content`.
    private Optional<RuleSource> ruleSource(Node node, String path) {
        if (node instanceof ScalarNode) {
            return ruleText(node, path);
        }
        if (!(node instanceof MappingNode)) {
            problems.error(path, "must be a text, or a section with `path` or `content`", "");
            return Optional.empty();
        }
        Map<String, Node> entries = mapping(node, path).orElse(Map.of());
        Set<String> known = Set.of("path", "content");
        entries.keySet().stream()
                .filter(key -> !known.contains(key))
                .forEach(key -> unknown(RuleSource.class, key, known, path));
        if (entries.containsKey("path") == entries.containsKey("content")) {
            problems.error(path, "needs one of `path` and `content`", "");
            return Optional.empty();
        }
        Node content = entries.get("content");
        if (content != null) {
            return ruleText(content, child(path, "content"));
        }
        Node file = entries.get("path");
        String at = child(path, "path");
        return file == null
                ? Optional.empty()
                : scalar(Path.class, false, file, at)
                        .map(found -> new RuleSource(
                                Optional.of(references.locate(found.toString())),
                                Optional.empty(),
                                problems.file(),
                                Math.max(1, problems.lineOf(at))));
    }

    /// A block (`|`) begins on the line behind its key, line by line as it stands there.
    private Optional<RuleSource> ruleText(Node node, String path) {
        boolean block = node instanceof ScalarNode scalar && scalar.getScalarStyle() == ScalarStyle.LITERAL;
        return scalar(String.class, false, node, path)
                .map(text -> new RuleSource(
                        Optional.empty(),
                        Optional.of(text.toString()),
                        problems.file(),
                        Math.max(1, line(node) + (block ? 1 : 0))));
    }

    /// The entries of a section; an empty section is one whose keys are all commented out.
    private Optional<Map<String, Node>> mapping(Node node, String path) {
        if (isNull(node)) {
            return Optional.of(Map.of());
        }
        if (!(node instanceof MappingNode mapping)) {
            problems.error(path, "must be a section with keys", "write `key: value`, with a blank after the colon");
            return Optional.empty();
        }
        Map<String, Node> entries = new LinkedHashMap<>();
        for (NodeTuple tuple : mapping.getValue()) {
            int line = line(tuple.getKeyNode());
            if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                problems.error(line, path, "has a key that is not a word", "");
                continue;
            }
            String at = child(path, key.getValue());
            problems.standsOn(at, line);
            if (entries.putIfAbsent(key.getValue(), tuple.getValueNode()) != null) {
                problems.error(
                        line, child(path, Printable.key(key.getValue())), "is there twice", "remove one of the two");
            }
        }
        return Optional.of(entries);
    }

    private void unknown(Class<? extends Record> type, String key, Set<String> known, String path) {
        int line = problems.lineOf(child(path, key));
        String shown = child(path, Printable.key(key));
        Optional<ForeignKeys.Foreign> foreign = ForeignKeys.find(key);
        if (foreign.isPresent() && foreign.get().error()) {
            problems.error(
                    line,
                    shown,
                    "is not supported by this version",
                    foreign.get().remedy());
        } else if (foreign.isPresent()) {
            problems.standsOn(shown, line);
            problems.warning(
                    shown, "has no meaning here and is ignored", foreign.get().remedy());
        } else {
            String remedy = NearestKey.of(key, known)
                    .map(near -> "did you mean " + child(path, near) + "?")
                    .or(() -> type != GeneralConfig.class
                                    && keys(GeneralConfig.class).contains(key)
                            ? Optional.of("it belongs in section general")
                            : Optional.empty())
                    .orElse("");
            problems.error(line, shown, "unknown key", remedy);
        }
    }

    /// All keys of a section, those of its flat groups included.
    static Set<String> keys(Class<?> type) {
        Set<String> keys = new LinkedHashSet<>();
        for (RecordComponent component : type.getRecordComponents()) {
            if (component.isAnnotationPresent(Flat.class)) {
                keys.addAll(keys(component.getType()));
            } else {
                keys.add(Records.key(component));
            }
        }
        return keys;
    }

    private static Optional<?> fallback(RecordComponent component, Optional<? extends Record> defaults) {
        if (defaults.isPresent()) {
            return Optional.of(Records.get(defaults.get(), component));
        }
        Class<?> type = component.getType();
        if (type == Optional.class) {
            return Optional.of(Optional.empty());
        }
        if (type == List.class) {
            return Optional.of(List.of());
        }
        if (type == Map.class) {
            return Optional.of(Map.of());
        }
        return type.isRecord() ? defaults(type.asSubclass(Record.class)) : Optional.empty();
    }

    private static Optional<? extends Record> recordDefault(
            RecordComponent component, Optional<? extends Record> defaults, Class<? extends Record> group) {
        return defaults.isPresent()
                ? defaults.map(record -> group.cast(Records.get(record, component)))
                : defaults(group);
    }

    /// What the record's own `defaults()` says; empty for records that cannot do without the file.
    private static Optional<? extends Record> defaults(Class<? extends Record> type) {
        try {
            return Optional.of(type.cast(type.getMethod("defaults").invoke(null)));
        } catch (NoSuchMethodException _) {
            return Optional.empty();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isNull(Node node) {
        return node instanceof ScalarNode && node.getTag().equals(Tag.NULL);
    }

    private static int line(Node node) {
        return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
    }

    private static String child(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }
}
