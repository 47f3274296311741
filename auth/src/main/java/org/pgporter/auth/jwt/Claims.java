package org.pgporter.auth.jwt;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a token says.
public final class Claims {
    /// The last second of the year 9999.
    private static final BigDecimal LAST_SECOND = BigDecimal.valueOf(253_402_300_799L);

    private final Map<String, Object> members;

    Claims(Map<String, Object> members) {
        this.members = Collections.unmodifiableMap(members);
    }

    /// The claim, if it is there and is a text.
    public Optional<String> text(String name) {
        return find(name) instanceof String text ? Optional.of(text) : Optional.empty();
    }

    /// The texts of a claim that is one text or a list of them; empty if it is not there, or is anything
    /// else.
    public List<String> texts(String name) {
        Object value = find(name);
        if (value instanceof String text) {
            return List.of(text);
        }
        List<String> texts = new ArrayList<>();
        if (value instanceof List<?> list) {
            for (Object element : list) {
                if (!(element instanceof String text)) {
                    return List.of();
                }
                texts.add(text);
            }
        }
        return texts;
    }

    /// The claim, if it is there and is an object.
    public Optional<Map<?, ?>> object(String name) {
        return find(name) instanceof Map<?, ?> object ? Optional.of(object) : Optional.empty();
    }

    boolean has(String name) {
        return members.containsKey(name);
    }

    /// What the bearer may do (RFC 9068 `scope`, words with blanks between; some issuers have a list, or
    /// call it
    /// `scp`).
    public Set<String> scopes() {
        Set<String> scopes = new LinkedHashSet<>();
        for (String claim : List.of("scope", "scp")) {
            for (String text : texts(claim)) {
                scopes.addAll(Arrays.asList(text.split(" ", -1)));
            }
        }
        scopes.remove("");
        return scopes;
    }

    /// A date (RFC 7519 section 2, seconds since 1970).
    Optional<Instant> date(String name) throws TokenRefused {
        Object value = members.get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof BigDecimal seconds) || seconds.signum() < 0 || seconds.compareTo(LAST_SECOND) > 0) {
            throw new TokenRefused("the token's `" + name + "` is not a date");
        }
        return Optional.of(
                Instant.ofEpochSecond(seconds.setScale(0, RoundingMode.DOWN).longValueExact()));
    }

    /// By its name, or by a path such as `realm_access.roles` where no claim has the whole of it for a name.
    private @Nullable Object find(String name) {
        Object whole = members.get(name);
        if (whole != null || name.indexOf('.') < 0) {
            return whole;
        }
        Object at = members;
        for (String step : name.split("\\.", -1)) {
            if (!(at instanceof Map<?, ?> object) || !(object.get(step) instanceof Object next)) {
                return null;
            }
            at = next;
        }
        return at;
    }

    /// Nothing of it: claims are about people.
    @Override
    public String toString() {
        return "Claims[***]";
    }
}
