package org.pgporter.auth.hba;

/// One entry in the list of databases or users of a rule.
sealed interface NameTest {
    record All() implements NameTest {}

    record Name(String name) implements NameTest {}

    record SameUser() implements NameTest {}

    record SameRole() implements NameTest {}

    record Replication() implements NameTest {}

    record MemberOf(String role) implements NameTest {}

    record Matching(NameRegex regex) implements NameTest {}

    /// An entry in the list of databases. As in PostgreSQL a word that begins with a slash is an expression
    /// even in quotation marks, because it may have a comma in it.
    static NameTest ofDatabase(Word word) throws RegexSyntax {
        if (!word.quoted()) {
            switch (word.text()) {
                case "all" -> {
                    return new All();
                }
                case "sameuser" -> {
                    return new SameUser();
                }
                case "samerole", "samegroup" -> {
                    return new SameRole();
                }
                case "replication" -> {
                    return new Replication();
                }
                default -> {}
            }
        }
        return nameOrRegex(word);
    }

    /// An entry in the list of users.
    static NameTest ofUser(Word word) throws RegexSyntax {
        if (word.isKeyword("all")) {
            return new All();
        }
        if (!word.quoted() && word.text().startsWith("+")) {
            return new MemberOf(word.text().substring(1));
        }
        return nameOrRegex(word);
    }

    private static NameTest nameOrRegex(Word word) throws RegexSyntax {
        return word.text().startsWith("/")
                ? new Matching(NameRegex.compile(word.text().substring(1)))
                : new Name(word.text());
    }

    /// Whether a database fits.
    static Answer fitsDatabase(NameTest test, Attempt attempt) {
        HbaRequest request = attempt.request();
        if (request.physicalReplication()) {
            return Answer.of(test instanceof Replication);
        }
        return switch (test) {
            case SameUser _ -> Answer.of(request.database().equals(request.user()));
            case SameRole _ -> attempt.isMember(request.database());
            case Replication _ -> Answer.NO;
            case NameTest other -> fitsName(other, request.database(), attempt);
        };
    }

    /// Whether a user fits.
    static Answer fitsUser(NameTest test, Attempt attempt) {
        return fitsName(test, attempt.request().user(), attempt);
    }

    private static Answer fitsName(NameTest test, String name, Attempt attempt) {
        return switch (test) {
            case All _ -> Answer.YES;
            case Name(var wanted) -> Answer.of(wanted.equals(name));
            case MemberOf(var role) -> attempt.isMember(role);
            case Matching(var regex) ->
                switch (regex.find(name)) {
                    case NameRegex.Found.Yes _ -> Answer.YES;
                    case NameRegex.Found.No _ -> Answer.NO;
                    case NameRegex.Found.TooMuch _ ->
                        new Answer.Unknown("the regular expression " + regex + " takes too long");
                };
            case SameUser _, SameRole _, Replication _ -> Answer.NO;
        };
    }
}
