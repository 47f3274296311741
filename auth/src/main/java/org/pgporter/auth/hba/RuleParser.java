package org.pgporter.auth.hba;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;

/// Makes a rule of a line, with the checks of PostgreSQL (`parse_hba_line` in `hba.c`) and its words where
/// they say enough.
final class RuleParser {
    /// Methods that PostgreSQL has and PgPorter has not.
    private static final Set<String> UNSUPPORTED = Set.of("ident", "gss", "sspi", "radius", "bsd");

    /// Looks like an address that is none: taken as a host name it would match nobody, or worse, somebody.
    private static final Pattern NUMBERS = Pattern.compile("[0-9.]+|.*[:%].*");

    /// Labels of letters, digits, `-` and `_`, as resolvers give them.
    private static final Pattern HOST_NAME =
            Pattern.compile("\\.?[\\w-]+(?:\\.[\\w-]+)*\\.?", Pattern.UNICODE_CHARACTER_CLASS);

    private final RuleLine line;
    private int next;

    RuleParser(RuleLine line) {
        this.line = line;
    }

    CompiledRule parse() throws BadRule {
        Word typeWord = one("connection type", "has no connection type");
        ConnectionType type = ConnectionType.of(typeWord.text())
                .orElseThrow(() -> new BadRule("invalid connection type \"" + typeWord.text() + "\""));
        List<NameTest> databases = new ArrayList<>();
        for (Word word : field("end-of-line before database specification")) {
            try {
                databases.add(NameTest.ofDatabase(word));
            } catch (RegexSyntax e) {
                throw badRegex(word, e);
            }
        }
        List<NameTest> users = new ArrayList<>();
        for (Word word : field("end-of-line before role specification")) {
            try {
                users.add(NameTest.ofUser(word));
            } catch (RegexSyntax e) {
                throw badRegex(word, e);
            }
        }
        ClientTest client = type == ConnectionType.LOCAL ? new ClientTest.Anywhere() : client();
        AuthMethod method = method(type);
        Map<String, String> options = new RuleOptions(type, method)
                .read(line.fields().subList(next, line.fields().size()));
        return new CompiledRule(
                new HbaRule(line.source(), line.line(), line.text(), method, options),
                type,
                client,
                List.copyOf(databases),
                List.copyOf(users),
                new LongAdder());
    }

    private List<Word> field(String ifMissing) throws BadRule {
        if (next >= line.fields().size()) {
            throw new BadRule(ifMissing);
        }
        return line.fields().get(next++);
    }

    private Word one(String what, String ifMissing) throws BadRule {
        List<Word> words = field(ifMissing);
        if (words.size() > 1) {
            throw new BadRule("multiple values specified for " + what);
        }
        return words.getFirst();
    }

    static BadRule badRegex(Word word, RegexSyntax e) {
        return new BadRule("invalid regular expression \"" + word.text().substring(1) + "\": " + e.getMessage());
    }

    private ClientTest client() throws BadRule {
        Word word = one("host address", "end-of-line before IP address specification");
        if (word.isKeyword("all")) {
            return new ClientTest.Anywhere();
        }
        if (word.isKeyword("samehost")) {
            return new ClientTest.SameHost();
        }
        if (word.isKeyword("samenet")) {
            return new ClientTest.SameNet();
        }
        String text = word.text();
        int slash = text.indexOf('/');
        Optional<byte[]> address = AddressRange.literal(slash < 0 ? text : text.substring(0, slash));
        if (address.isEmpty()) {
            return hostName(text, slash);
        }
        if (slash >= 0) {
            return new ClientTest.Within(AddressRange.withPrefix(address.get(), text.substring(slash + 1))
                    .orElseThrow(() -> new BadRule("invalid CIDR mask in address \"" + text + "\"")));
        }
        Word mask = one(
                "netmask",
                "end-of-line before netmask specification; give a range as in " + text + "/"
                        + address.get().length * Byte.SIZE + ", or a mask");
        byte[] maskBytes = AddressRange.literal(mask.text())
                .orElseThrow(() -> new BadRule("invalid IP mask \"" + mask.text() + "\""));
        return new ClientTest.Within(AddressRange.withMask(address.get(), maskBytes)
                .orElseThrow(() -> new BadRule("IP address and mask do not match")));
    }

    private static ClientTest hostName(String text, int slash) throws BadRule {
        if (NUMBERS.matcher(slash < 0 ? text : text.substring(0, slash)).matches()) {
            throw new BadRule("invalid IP address \"" + text + "\"");
        }
        if (slash >= 0) {
            throw new BadRule("specifying both host name and CIDR mask is invalid: \"" + text + "\"");
        }
        if (!HOST_NAME.matcher(text).matches()) {
            throw new BadRule("neither an address nor a host name: \"" + text + "\"");
        }
        return new ClientTest.Named(text);
    }

    private AuthMethod method(ConnectionType type) throws BadRule {
        String word = one("authentication type", "end-of-line before authentication method")
                .text();
        if (word.equals("ident") && type == ConnectionType.LOCAL) {
            // As in PostgreSQL, for the sake of old files.
            return AuthMethod.PEER;
        }
        if (UNSUPPORTED.contains(word)) {
            throw new BadRule("authentication method \"" + word + "\" is not supported");
        }
        AuthMethod method =
                AuthMethod.of(word).orElseThrow(() -> new BadRule("invalid authentication method \"" + word + "\""));
        if (method == AuthMethod.PEER && type != ConnectionType.LOCAL) {
            throw new BadRule("peer authentication is only supported on local sockets");
        }
        if (method == AuthMethod.CERT && type != ConnectionType.HOSTSSL) {
            throw new BadRule("cert authentication is only supported on hostssl connections");
        }
        return method;
    }
}
