package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SettingsTest {
    private static final String SECRET = "hunter2";

    @Test
    void shouldListEveryKeyWithItsValueAndDefault() {
        List<Settings.Setting> settings = Settings.of(Yaml.valid("""
                general: {pool_size: 7, idle_timeout: "90s", admin_users: [a, b]}
                """ + Yaml.POOLS + "    server_host: db\n"));

        assertThat(setting(settings, "pool_size")).isEqualTo(new Settings.Setting("pool_size", "7", "40"));
        assertThat(setting(settings, "pool_size").isDefault()).isFalse();
        assertThat(setting(settings, "idle_timeout").value()).isEqualTo("90s");
        assertThat(setting(settings, "admin_users").value()).isEqualTo("a, b");
        assertThat(setting(settings, "pool_mode"))
                .isEqualTo(new Settings.Setting("pool_mode", "transaction", "transaction"));
        assertThat(setting(settings, "pools.app.server_host").value()).isEqualTo("db");
        assertThat(setting(settings, "pools.app.users[0].username").value()).isEqualTo("alice");
        assertThat(settings.stream().map(Settings.Setting::key))
                .containsAll(RecordBinder.keys(GeneralConfig.class).stream()
                        .filter(key -> settings.stream()
                                .noneMatch(it -> it.key().startsWith(key + ".")
                                        || it.key().startsWith(key + "[")))
                        .toList());
    }

    @Test
    void shouldShowNoSecret() {
        ProxyConfig config = Yaml.valid("general: {admin_username: op, admin_password: " + SECRET + "}\n"
                + Yaml.POOLS.replace("wonderland", SECRET)
                + "        server_username: role\n        server_password: " + SECRET);

        assertThat(Settings.of(config)).noneMatch(setting -> setting.toString().contains(SECRET));
        assertThat(setting(Settings.of(config), "admin_password").value()).isEqualTo("***");
        assertThat(setting(Settings.of(config), "pools.app.users[0].password").value())
                .isEqualTo("***");
    }

    private static Settings.Setting setting(List<Settings.Setting> settings, String key) {
        Optional<Settings.Setting> found =
                settings.stream().filter(it -> it.key().equals(key)).findFirst();
        return found.orElseThrow(() -> new AssertionError("no " + key));
    }
}
