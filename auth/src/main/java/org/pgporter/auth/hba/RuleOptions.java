package org.pgporter.auth.hba;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The options behind the method of a rule, with PostgreSQL's checks (`parse_hba_auth_opt` in `hba.c`).
///
/// Stricter in what would otherwise go wrong in silence: an option that stands there twice (the last one
/// counts in PostgreSQL), a switch that is neither 0 nor 1 (anything else is 0 there: `ldaptls=true` means
/// no TLS), a scheme of LDAP that is none, and `validator`, which names a library of PostgreSQL's own.
final class RuleOptions {
    private static final Set<AuthMethod> MAPPED =
            EnumSet.of(AuthMethod.PEER, AuthMethod.CERT, AuthMethod.JWT, AuthMethod.OAUTH);

    private static final Map<String, AuthMethod> OF_ONE_METHOD = Map.ofEntries(
            Map.entry("pamservice", AuthMethod.PAM),
            Map.entry("pam_use_hostname", AuthMethod.PAM),
            Map.entry("ldapurl", AuthMethod.LDAP),
            Map.entry("ldaptls", AuthMethod.LDAP),
            Map.entry("ldapscheme", AuthMethod.LDAP),
            Map.entry("ldapserver", AuthMethod.LDAP),
            Map.entry("ldapport", AuthMethod.LDAP),
            Map.entry("ldapbinddn", AuthMethod.LDAP),
            Map.entry("ldapbindpasswd", AuthMethod.LDAP),
            Map.entry("ldapsearchattribute", AuthMethod.LDAP),
            Map.entry("ldapsearchfilter", AuthMethod.LDAP),
            Map.entry("ldapbasedn", AuthMethod.LDAP),
            Map.entry("ldapprefix", AuthMethod.LDAP),
            Map.entry("ldapsuffix", AuthMethod.LDAP),
            Map.entry("scope", AuthMethod.OAUTH),
            Map.entry("delegate_ident_mapping", AuthMethod.OAUTH));

    private static final Set<String> SWITCHES = Set.of("pam_use_hostname", "ldaptls", "delegate_ident_mapping");
    private static final Set<String> FOREIGN = Set.of(
            "validator",
            "include_realm",
            "compat_realm",
            "upn_username",
            "krb_realm",
            "radiusservers",
            "radiussecrets",
            "radiusports",
            "radiusidentifiers");

    private static final Pattern NAME = Pattern.compile("[a-z0-9_]{1,40}");
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");
    private static final int HIGHEST_PORT = 65_535;

    private final ConnectionType type;
    private final AuthMethod method;
    private final Map<String, String> options = new LinkedHashMap<>();

    RuleOptions(ConnectionType type, AuthMethod method) {
        this.type = type;
        this.method = method;
    }

    Map<String, String> read(List<List<Word>> fields) throws BadRule {
        int number = 0;
        for (List<Word> field : fields) {
            for (Word word : field) {
                add(word.text(), ++number);
            }
        }
        switch (method) {
            case LDAP -> checkLdap();
            case OAUTH -> checkOauth();
            default -> {}
        }
        return options;
    }

    private void add(String text, int number) throws BadRule {
        int equals = text.indexOf('=');
        String name = equals < 0 ? text : text.substring(0, equals);
        // What is no name is not shown: it may be the second half of a password with a blank.
        if (equals < 0 || !NAME.matcher(name).matches()) {
            throw new BadRule("authentication option not in name=value format: number " + number
                    + "; a value with blanks needs quotation marks");
        }
        String value = text.substring(equals + 1);
        check(name, value);
        if (options.put(name, value) != null) {
            throw new BadRule("authentication option \"" + name + "\" is given twice");
        }
    }

    private void check(String name, String value) throws BadRule {
        AuthMethod only = OF_ONE_METHOD.get(name);
        if (only != null && only != method) {
            throw onlyFor(name, only.word());
        }
        switch (name) {
            case "map" -> {
                if (!MAPPED.contains(method)) {
                    throw onlyFor(name, "peer, cert, jwt, and oauth");
                }
                notEmpty(name, value);
            }
            case "clientcert" -> {
                onlyOnHostssl(name);
                if (!value.equals("verify-ca") && !value.equals("verify-full")) {
                    throw new BadRule("invalid value for clientcert: \"" + value + "\"; verify-ca or verify-full");
                }
                if (method == AuthMethod.CERT && value.equals("verify-ca")) {
                    throw new BadRule("clientcert only accepts \"verify-full\" when using \"cert\" authentication");
                }
            }
            case "clientname" -> {
                onlyOnHostssl(name);
                if (!value.equals("CN") && !value.equals("DN")) {
                    throw new BadRule("invalid value for clientname: \"" + value + "\"; CN or DN");
                }
            }
            case "issuer" -> {
                if (method != AuthMethod.JWT && method != AuthMethod.OAUTH) {
                    throw onlyFor(name, "jwt and oauth");
                }
                notEmpty(name, value);
            }
            case "ldapport" -> {
                if (!PORT.matcher(value).matches()
                        || Integer.parseInt(value) == 0
                        || Integer.parseInt(value) > HIGHEST_PORT) {
                    throw new BadRule("invalid LDAP port number: \"" + value + "\"");
                }
            }
            case "ldapscheme" -> {
                if (!isLdapScheme(value)) {
                    throw new BadRule("invalid ldapscheme value: \"" + value + "\"; ldap or ldaps");
                }
            }
            case "ldapurl" -> ldapUrl(value);
            default -> {
                if (only == null) {
                    throw new BadRule(
                            FOREIGN.contains(name)
                                    ? "authentication option \"" + name + "\" is not supported"
                                    : "unrecognized authentication option name: \"" + name + "\"");
                }
            }
        }
        if (SWITCHES.contains(name) && !value.equals("0") && !value.equals("1")) {
            throw new BadRule("authentication option \"" + name + "\" must be 0 or 1");
        }
    }

    private static BadRule onlyFor(String name, String methods) {
        return new BadRule(
                "authentication option \"" + name + "\" is only valid for authentication methods " + methods);
    }

    private void onlyOnHostssl(String name) throws BadRule {
        if (type != ConnectionType.HOSTSSL) {
            throw new BadRule(name + " can only be configured for \"hostssl\" rows");
        }
    }

    private static void notEmpty(String name, String value) throws BadRule {
        if (value.isEmpty()) {
            throw new BadRule("authentication option \"" + name + "\" is empty");
        }
    }

    private static boolean isLdapScheme(String scheme) {
        return scheme.equals("ldap") || scheme.equals("ldaps");
    }

    private void checkOauth() throws BadRule {
        for (String needed : List.of("issuer", "scope")) {
            if (!options.containsKey(needed)) {
                throw new BadRule("authentication method \"oauth\" requires argument \"" + needed + "\" to be set");
            }
        }
        if ("1".equals(options.get("delegate_ident_mapping")) && options.containsKey("map")) {
            throw new BadRule("map cannot be used together with delegate_ident_mapping");
        }
    }

    private void checkLdap() throws BadRule {
        Optional<URI> url = Optional.empty();
        if (options.containsKey("ldapurl")) {
            url = Optional.of(ldapUrl(options.getOrDefault("ldapurl", "")));
        }
        // attributes?scope?filter
        String[] parts = url.map(URI::getRawQuery).orElse("").split("\\?", -1);
        boolean urlBase =
                url.map(URI::getRawPath).filter(path -> path.length() > 1).isPresent();
        boolean attribute = options.containsKey("ldapsearchattribute") || !parts[0].isEmpty();
        boolean filter = options.containsKey("ldapsearchfilter") || (parts.length > 2 && !parts[2].isEmpty());
        boolean base = options.containsKey("ldapbasedn") || urlBase;
        boolean simple = options.containsKey("ldapprefix") || options.containsKey("ldapsuffix");
        boolean bindOptions = options.containsKey("ldapbinddn") || options.containsKey("ldapbindpasswd");
        if (!options.containsKey("ldapserver")
                && url.map(URI::getHost).filter(host -> !host.isEmpty()).isEmpty()) {
            throw new BadRule("authentication method \"ldap\" requires argument \"ldapserver\" to be set");
        }
        if (simple && (base || bindOptions || attribute || filter)) {
            throw new BadRule("cannot mix options for simple bind and search+bind modes: ldapprefix and ldapsuffix do"
                    + " not go together with ldapbasedn, ldapbinddn, ldapbindpasswd, ldapsearchattribute,"
                    + " ldapsearchfilter or ldapurl");
        }
        if (!simple && !base) {
            throw new BadRule("authentication method \"ldap\" requires argument \"ldapbasedn\", \"ldapprefix\", or"
                    + " \"ldapsuffix\" to be set");
        }
        if (attribute && filter) {
            throw new BadRule("cannot use ldapsearchattribute together with ldapsearchfilter");
        }
    }

    private static URI ldapUrl(String value) throws BadRule {
        try {
            URI url = new URI(value);
            if (url.getScheme() == null || !isLdapScheme(url.getScheme())) {
                throw new BadRule("unsupported LDAP URL scheme; ldap or ldaps");
            }
            if (url.getUserInfo() != null) {
                throw new BadRule("could not parse LDAP URL: it has no place for a user");
            }
            return url;
        } catch (URISyntaxException _) {
            throw new BadRule("could not parse LDAP URL; what is no letter of a URL must be written as %20");
        }
    }
}
