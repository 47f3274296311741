package org.pgporter.auth.hba;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/// The maps of a `pg_ident.conf`, as PostgreSQL 16 and newer read it: three fields, the map's name, the
/// name that the method knows, and the user of the database. Immutable.
public final class IdentityMaps {
    private static final String FIRST_GROUP = "\\1";

    private final List<Entry> entries;

    private record Entry(
            RuleLine line, String map, Word system, Optional<NameRegex> systemRegex, Word user, NameTest userTest) {
        String where() {
            return line.source() + ":" + line.line();
        }
    }

    private IdentityMaps(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    /// Without any map.
    public static IdentityMaps none() {
        return new IdentityMaps(List.of());
    }

    /// Reads maps, and the files that they include. A file without lines is one without maps.
    ///
    /// @throws RuleProblems with every line that cannot be understood
    public static IdentityMaps parse(RuleText text, RuleFiles files) throws RuleProblems {
        List<RuleProblem> problems = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        for (RuleLine line : new RuleLines(files, problems).read(text)) {
            try {
                entries.add(entry(line));
            } catch (BadRule bad) {
                problems.add(new RuleProblem(line.source(), line.line(), String.valueOf(bad.getMessage())));
            }
        }
        if (!problems.isEmpty()) {
            throw new RuleProblems(problems);
        }
        return new IdentityMaps(entries);
    }

    private static Entry entry(RuleLine line) throws BadRule {
        if (line.fields().size() < 3) {
            throw new BadRule("missing entry at end of line: map, system user and database user are needed");
        }
        if (line.fields().size() > 3) {
            throw new BadRule("has more than three fields; names with blanks need quotation marks");
        }
        for (List<Word> field : line.fields()) {
            if (field.size() > 1) {
                throw new BadRule("multiple values in ident field");
            }
        }
        Word system = line.fields().get(1).getFirst();
        Word user = line.fields().get(2).getFirst();
        Optional<NameRegex> regex = Optional.empty();
        if (system.text().startsWith("/")) {
            try {
                regex = Optional.of(NameRegex.compile(system.text().substring(1)));
            } catch (RegexSyntax e) {
                throw RuleParser.badRegex(system, e);
            }
        }
        NameTest userTest;
        try {
            userTest = NameTest.ofUser(user);
        } catch (RegexSyntax e) {
            throw RuleParser.badRegex(user, e);
        }
        if (regex.filter(it -> !it.hasGroup()).isPresent() && takesGroup(user, userTest)) {
            throw new BadRule("regular expression \"" + system.text().substring(1)
                    + "\" has no subexpressions as requested by backreference in \"" + user.text() + "\"");
        }
        return new Entry(line, line.fields().getFirst().getFirst().text(), system, regex, user, userTest);
    }

    /// A membership and an expression are not filled in, as in PostgreSQL.
    private static boolean takesGroup(Word user, NameTest test) {
        return test instanceof NameTest.Name && user.text().contains(FIRST_GROUP);
    }

    /// The names of all maps.
    public Set<String> names() {
        return entries.stream().map(Entry::map).collect(Collectors.toUnmodifiableSet());
    }

    /// As [IdentityMap] says.
    public IdentityMap with(RoleMembership roles) {
        return (mapName, systemUser, database, databaseUser) ->
                new Lookup(roles, systemUser, database, databaseUser).matches(mapName);
    }

    private final class Lookup {
        private final RoleMembership roles;
        private final String systemUser;
        private final String database;
        private final String databaseUser;

        Lookup(RoleMembership roles, String systemUser, String database, String databaseUser) {
            this.roles = roles;
            this.systemUser = systemUser;
            this.database = database;
            this.databaseUser = databaseUser;
        }

        CompletionStage<IdentityVerdict> matches(Optional<String> mapName) {
            if (mapName.isEmpty()) {
                return done(
                        systemUser.equals(databaseUser)
                                ? new IdentityVerdict.Matches()
                                : new IdentityVerdict.NoMatch("provided user name (" + databaseUser
                                        + ") and authenticated user name (" + systemUser + ") do not match"));
            }
            List<Entry> ofMap = entries.stream()
                    .filter(entry -> entry.map().equals(mapName.get()))
                    .toList();
            return from(
                    ofMap,
                    0,
                    new IdentityVerdict.NoMatch("no match in usermap \"" + mapName.get() + "\" for user \""
                            + databaseUser + "\" authenticated as \"" + systemUser + "\""));
        }

        /// @param otherwise what it is when no other line fits
        private CompletionStage<IdentityVerdict> from(List<Entry> ofMap, int first, IdentityVerdict otherwise) {
            for (int i = first; i < ofMap.size(); i++) {
                Entry entry = ofMap.get(i);
                Optional<NameTest> wanted;
                try {
                    wanted = wanted(entry);
                } catch (BadRule error) {
                    // As in PostgreSQL: a line that cannot be applied ends the search.
                    return done(new IdentityVerdict.NoMatch(entry.where() + ": " + error.getMessage()));
                }
                if (wanted.isEmpty()) {
                    continue;
                }
                switch (wanted.get()) {
                    case NameTest.MemberOf(var role) -> {
                        int next = i + 1;
                        return roles.of(database, databaseUser, role)
                                .exceptionally(_ -> RoleMembership.Membership.UNKNOWN)
                                .thenCompose(membership -> switch (membership) {
                                    case MEMBER -> done(new IdentityVerdict.Matches());
                                    case NOT_MEMBER -> from(ofMap, next, otherwise);
                                    case UNKNOWN ->
                                        from(
                                                ofMap,
                                                next,
                                                new IdentityVerdict.Undecided(entry.where()
                                                        + ": it is not known which roles user \"" + databaseUser
                                                        + "\" is a member of"));
                                });
                    }
                    case NameTest.Matching(var regex) -> {
                        switch (regex.find(databaseUser)) {
                            case NameRegex.Found.Yes _ -> {
                                return done(new IdentityVerdict.Matches());
                            }
                            case NameRegex.Found.No _ -> {}
                            case NameRegex.Found.TooMuch _ -> {
                                return done(new IdentityVerdict.NoMatch(entry.where() + ": takes too long"));
                            }
                        }
                    }
                    case NameTest.All _ -> {
                        return done(new IdentityVerdict.Matches());
                    }
                    case NameTest.Name(var name) -> {
                        if (name.equals(databaseUser)) {
                            return done(new IdentityVerdict.Matches());
                        }
                    }
                    case NameTest.SameUser _, NameTest.SameRole _, NameTest.Replication _ ->
                        throw new IllegalStateException("no test of users");
                }
            }
            return done(otherwise);
        }

        /// What the user must be if the line is for this system user; empty if it is not.
        private Optional<NameTest> wanted(Entry entry) throws BadRule {
            if (entry.systemRegex().isEmpty()) {
                return entry.system().text().equals(systemUser) ? Optional.of(entry.userTest()) : Optional.empty();
            }
            switch (entry.systemRegex().get().find(systemUser)) {
                case NameRegex.Found.No _ -> {
                    return Optional.empty();
                }
                case NameRegex.Found.TooMuch _ -> throw new BadRule("takes too long, or the name is too long");
                case NameRegex.Found.Yes(var group, var ambiguous) -> {
                    if (!takesGroup(entry.user(), entry.userTest())) {
                        return Optional.of(entry.userTest());
                    }
                    if (group.isEmpty()) {
                        throw new BadRule("group 1 has taken no part in the match");
                    }
                    if (ambiguous) {
                        throw new BadRule("what group 1 is can be seen in more than one way");
                    }
                    // Filled in, it has no special meaning any more.
                    String text = entry.user().text();
                    int at = text.indexOf(FIRST_GROUP);
                    return Optional.of(new NameTest.Name(
                            text.substring(0, at) + group.get() + text.substring(at + FIRST_GROUP.length())));
                }
            }
        }

        private static CompletionStage<IdentityVerdict> done(IdentityVerdict verdict) {
            return CompletableFuture.completedStage(verdict);
        }
    }
}
