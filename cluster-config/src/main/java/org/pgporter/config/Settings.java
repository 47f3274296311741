package org.pgporter.config;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A configuration as a list of keys, for those who look at a running node. Secrets are not in it.
public final class Settings {
    /// What stands for a secret that is set.
    private static final String HIDDEN = "***";

    /// One key.
    ///
    /// @param key in section `general` its name alone, elsewhere the path, as in `pools.app.users[0].pool_size`
    /// @param value as text; empty where nothing is set
    /// @param standard what it is without the file; empty where there is none
    public record Setting(String key, String value, String standard) {
        /// Whether the file says something else than the default.
        public boolean isDefault() {
            return value.equals(standard);
        }
    }

    private final List<Setting> settings = new ArrayList<>();

    private Settings() {}

    /// Every key, in the order of the records: `general`, `cluster`, the pools.
    public static List<Setting> of(ProxyConfig config) {
        Settings all = new Settings();
        all.section("", config.general(), Optional.of(GeneralConfig.defaults()));
        all.section("cluster.", config.cluster(), Optional.of(ClusterConfig.defaults()));
        config.pools()
                .forEach((name, pool) -> all.section("pools." + name + ".", pool, Optional.of(PoolConfig.defaults())));
        return List.copyOf(all.settings);
    }

    private void section(String prefix, Record section, Optional<? extends Record> defaults) {
        for (RecordComponent component : section.getClass().getRecordComponents()) {
            Object value = Records.get(section, component);
            Optional<Object> standard = defaults.map(its -> Records.get(its, component));
            if (component.isAnnotationPresent(Flat.class)) {
                section(prefix, (Record) value, standard.map(Record.class::cast));
            } else {
                value(prefix + Records.key(component), value, standard);
            }
        }
    }

    private void value(String key, Object value, Optional<Object> standard) {
        Object held = value instanceof Optional<?> optional
                ? optional.<Object>map(it -> it).orElse("")
                : value;
        if (held instanceof List<?> list && !list.isEmpty() && list.getFirst() instanceof Record) {
            for (int i = 0; i < list.size(); i++) {
                section(key + "[" + i + "].", (Record) list.get(i), Optional.empty());
            }
        } else if (held instanceof Record section && isSection(section)) {
            section(key + ".", section, Optional.empty());
        } else {
            String shown = isSecret(key, held) ? HIDDEN : text(held);
            settings.add(new Setting(key, shown, standard.map(Settings::text).orElse("")));
        }
    }

    /// Rules may have passwords of others in them, and who writes a whole text into one key may have written anything.
    private static boolean isSecret(String key, Object value) {
        return value instanceof String text
                && (text.indexOf('\n') >= 0 || key.matches(".*(hba|ident|password|secret|token).*"))
                && !text.isEmpty();
    }

    /// A record of keys, and no value in the form of a record.
    private static boolean isSection(Record record) {
        return record.getClass().getPackage().equals(Settings.class.getPackage())
                && !(record instanceof ByteSize)
                && !(record instanceof FileMode);
    }

    /// Whatever is not known to be harmless is hidden.
    private static String text(Object value) {
        return switch (value) {
            case Optional<?> optional -> optional.map(Settings::text).orElse("");
            case String text -> text;
            case Number number -> number.toString();
            case Boolean yes -> yes.toString();
            case Path path -> path.toString();
            case ByteSize size -> String.valueOf(size.bytes());
            case FileMode mode -> mode.toString();
            case Duration duration -> Durations.format(duration);
            case Enum<?> word -> word.toString().toLowerCase(java.util.Locale.ROOT);
            case List<?> list ->
                String.join(", ", list.stream().map(Settings::text).toList());
            case Map<?, ?> map ->
                String.join(
                        ", ",
                        map.entrySet().stream()
                                .map(entry -> entry.getKey() + "=" + text(entry.getValue()))
                                .sorted()
                                .toList());
            default -> HIDDEN;
        };
    }
}
