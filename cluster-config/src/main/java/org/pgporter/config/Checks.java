package org.pgporter.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Collects what a record's constructor finds wrong, so that all of it is reported at once.
final class Checks {
    private final List<ConfigException.Violation> violations = new ArrayList<>();

    Checks atLeast(String key, int least, int value) {
        return require(value >= least, key, "must be at least " + least + ", was " + value);
    }

    Checks atLeast(String key, int least, Optional<Integer> value) {
        value.ifPresent(present -> atLeast(key, least, present.intValue()));
        return this;
    }

    Checks between(String key, int least, int most, int value) {
        return require(
                value >= least && value <= most, key, "must be from " + least + " to " + most + ", was " + value);
    }

    Checks notNegative(String key, Duration value) {
        return require(!value.isNegative(), key, "must not be negative, was " + Durations.format(value));
    }

    Checks notNegative(String key, Optional<Duration> value) {
        value.ifPresent(present -> notNegative(key, present));
        return this;
    }

    Checks positive(String key, Duration value) {
        return require(value.isPositive(), key, "must be longer than 0, was " + Durations.format(value));
    }

    Checks positive(String key, Optional<Duration> value) {
        value.ifPresent(present -> positive(key, present));
        return this;
    }

    Checks notBlank(String key, String value) {
        return require(!value.isBlank(), key, "must not be empty").noZero(key, value);
    }

    Checks notBlank(String key, Optional<String> value) {
        value.ifPresent(present -> notBlank(key, present));
        return this;
    }

    /// PostgreSQL ends every string of the protocol with a zero byte, so none may stand inside.
    Checks noZero(String key, String value) {
        return require(value.indexOf('\0') < 0, key, "must not contain a zero byte");
    }

    Checks require(boolean holds, String key, String message) {
        return require(holds, key, message, "", Set.of(key));
    }

    Checks require(boolean holds, String key, String message, String remedy, Set<String> involved) {
        if (!holds) {
            violations.add(new ConfigException.Violation(key, message, remedy, involved));
        }
        return this;
    }

    Checks add(ConfigException.Violation violation) {
        violations.add(violation);
        return this;
    }

    void throwIfAny() {
        if (!violations.isEmpty()) {
            throw new ConfigException(violations);
        }
    }
}
