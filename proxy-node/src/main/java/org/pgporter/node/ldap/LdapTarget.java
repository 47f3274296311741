package org.pgporter.node.ldap;

import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.SearchScope;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.pgporter.auth.Secret;

/// Where a rule of `pg_hba.conf` sends logins by LDAP, and how the user is found there; in PostgreSQL's words.
///
/// @param servers asked in this order until one can be reached
/// @param port of all of them
/// @param security how the connection is encrypted
/// @param search how the entry of a user is found
public record LdapTarget(List<String> servers, int port, Security security, UserSearch search) {
    private static final int PORT = 389;
    private static final int TLS_PORT = 636;
    private static final String DEFAULT_ATTRIBUTE = "uid";
    private static final String USER = "$username";

    /// Names that can stand in a bind name that is none of a directory's own, such as `alice@example.com`.
    private static final Pattern HARMLESS = Pattern.compile("[\\p{L}\\p{N}._$-]{1,256}");

    public LdapTarget {
        servers = List.copyOf(servers);
    }

    /// How the connection is encrypted.
    public enum Security {
        NONE,
        /// From the first byte on (`ldapscheme=ldaps`).
        LDAPS,
        /// Asked for on a connection without (`ldaptls=1`).
        STARTTLS
    }

    /// How the entry of a user is found.
    public sealed interface UserSearch {}

    /// The name to bind with is made of the user's.
    public record Simple(String prefix, String suffix) implements UserSearch {
        /// The name to bind with; empty when such a user cannot be one.
        ///
        /// Where the user's name becomes the value of an attribute it is escaped. Elsewhere, as in
        /// `alice@example.com`, nothing could be escaped, so that only plain names are let through.
        Optional<String> bindName(String user) {
            if (prefix.stripTrailing().endsWith("=")) {
                return Optional.of(prefix + escaped(user) + suffix);
            }
            return HARMLESS.matcher(user).matches() ? Optional.of(prefix + user + suffix) : Optional.empty();
        }
    }

    /// The entry is looked for first.
    ///
    /// @param bindName whom the search is made as; empty: anonymously
    /// @param filter with `$username` where the user's name belongs
    public record SearchFirst(
            String base, SearchScope scope, String filter, Optional<String> bindName, Optional<Secret> bindPassword)
            implements UserSearch {
        /// What the entry of this user must match, with the name escaped (RFC 4515).
        ///
        /// @throws LDAPException when the rule's filter is none
        Filter filterFor(String user) throws LDAPException {
            return Filter.create(filter.replace(USER, Filter.encodeValue(user)));
        }
    }

    /// Reads the options of a rule.
    ///
    /// @throws IllegalArgumentException when they cannot be understood; says nothing of their values
    public static LdapTarget of(Map<String, String> options) {
        Optional<URI> url = Optional.ofNullable(options.get("ldapurl")).map(LdapTarget::url);
        boolean ldaps = Optional.ofNullable(options.get("ldapscheme"))
                .or(() -> url.map(URI::getScheme))
                .filter("ldaps"::equals)
                .isPresent();
        boolean startTls = "1".equals(options.get("ldaptls"));
        if (ldaps && startTls) {
            throw new IllegalArgumentException("ldaps and ldaptls exclude each other");
        }
        List<String> servers = new ArrayList<>();
        String named = Optional.ofNullable(options.get("ldapserver"))
                .or(() -> url.map(URI::getHost))
                .orElse("");
        for (String server : named.trim().split("\\s+")) {
            if (server.isEmpty()) {
                throw new IllegalArgumentException("ldapserver is missing");
            }
            servers.add(server.replaceAll("^\\[(.*)]$", "$1"));
        }
        int port = Optional.ofNullable(options.get("ldapport"))
                .map(Integer::parseInt)
                .or(() -> url.map(URI::getPort).filter(it -> it > 0))
                .orElse(ldaps ? TLS_PORT : PORT);
        return new LdapTarget(
                servers,
                port,
                ldaps ? Security.LDAPS : startTls ? Security.STARTTLS : Security.NONE,
                search(options, url));
    }

    private static UserSearch search(Map<String, String> options, Optional<URI> url) {
        if (options.containsKey("ldapprefix") || options.containsKey("ldapsuffix")) {
            return new Simple(options.getOrDefault("ldapprefix", ""), options.getOrDefault("ldapsuffix", ""));
        }
        List<String> parts = url.map(URI::getRawQuery).map(LdapTarget::parts).orElse(List.of());
        String base = Optional.ofNullable(options.get("ldapbasedn"))
                .or(() -> url.map(URI::getRawPath).map(path -> decoded(path.replaceFirst("^/", ""))))
                .orElse("");
        String attribute = Optional.ofNullable(options.get("ldapsearchattribute"))
                .or(() -> part(parts, 0))
                .orElse(DEFAULT_ATTRIBUTE);
        String filter = Optional.ofNullable(options.get("ldapsearchfilter"))
                .or(() -> part(parts, 2))
                .map(LdapTarget::inBrackets)
                .orElse("(" + attribute + "=" + USER + ")");
        SearchScope scope = switch (part(parts, 1).orElse("sub")) {
            case "base" -> SearchScope.BASE;
            case "one" -> SearchScope.ONE;
            case "sub" -> SearchScope.SUB;
            default -> throw new IllegalArgumentException("ldapurl has a scope that is none");
        };
        return new SearchFirst(
                base,
                scope,
                filter,
                Optional.ofNullable(options.get("ldapbinddn")).filter(it -> !it.isEmpty()),
                Optional.ofNullable(options.get("ldapbindpasswd")).map(Secret::of));
    }

    private static URI url(String text) {
        try {
            return URI.create(text);
        } catch (IllegalArgumentException _) {
            throw new IllegalArgumentException("ldapurl is no URL");
        }
    }

    private static List<String> parts(String query) {
        return List.of(query.split("\\?", -1));
    }

    private static Optional<String> part(List<String> parts, int index) {
        return parts.size() > index && !parts.get(index).isEmpty()
                ? Optional.of(decoded(parts.get(index)))
                : Optional.empty();
    }

    /// A plus is no blank in such a URL.
    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String inBrackets(String filter) {
        return filter.startsWith("(") ? filter : "(" + filter + ")";
    }

    /// The value of an attribute in a name (RFC 4514).
    private static String escaped(String value) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < 0x20 || c == 0x7f) {
                text.append('\\').append("%02x".formatted((int) c));
            } else if (",+\"\\<>;=".indexOf(c) >= 0
                    || (c == '#' && i == 0)
                    || (c == ' ' && (i == 0 || i == value.length() - 1))) {
                text.append('\\').append(c);
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return servers + ":" + port;
    }
}
