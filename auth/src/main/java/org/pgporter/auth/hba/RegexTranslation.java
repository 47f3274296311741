package org.pgporter.auth.hba;

/// Translates one of PostgreSQL's advanced regular expressions into two of Java's, which match the same
/// texts:
/// `straight` as it is written, and `turned` with everything that is greedy reluctant, the other way round,
/// and alternatives in the opposite order. Where both find the same group 1 there is no doubt about it.
///
/// What the two languages do not have in common is refused: back references, embedded options but `(?i)` at
/// the beginning, collating elements, escapes by number.
final class RegexTranslation {
    /// Far more than anybody writes to describe names.
    static final int MOST_CHARACTERS = 1000;

    private static final int MOST_DEPTH = 50;

    /// `DUPMAX` of PostgreSQL's expressions.
    private static final int MOST_REPETITIONS = 255;

    /// Of numbers in braces within one another, multiplied: an engine that counts its looks at the text
    /// does not see these.
    private static final int MOST_REPETITIONS_NESTED = 1000;

    private static final String WORD_BEGIN = "(?<!\\w)(?=\\w)";
    private static final String WORD_END = "(?<=\\w)(?!\\w)";

    private final String source;
    private int position;
    private int groups;
    private int lookarounds;
    private int lookbehinds;
    private int alternatives;
    private int reluctant;

    /// Both results.
    ///
    /// @param repetitions how often the innermost part is demanded at most, by numbers in braces
    private record Both(String straight, String turned, int repetitions) {
        static Both of(String text) {
            return new Both(text, text, 1);
        }

        Both then(Both next) {
            return new Both(straight + next.straight, turned + next.turned, Math.max(repetitions, next.repetitions));
        }

        Both in(String before, String after) {
            return new Both(before + straight + after, before + turned + after, repetitions);
        }
    }

    /// @param straight for Java
    /// @param turned for Java, as the class says
    /// @param caseInsensitive letters of ASCII match in both cases
    /// @param groups how many there are
    /// @param plain Java's first match has the groups that PostgreSQL's longest match has: there are no
    ///     alternatives and nothing reluctant, and the end is nailed down
    record Result(String straight, String turned, boolean caseInsensitive, int groups, boolean plain) {}

    private RegexTranslation(String source) {
        this.source = source;
    }

    /// @param source characters up to `\u00ff`
    static Result translate(String source) throws RegexSyntax {
        if (source.length() > MOST_CHARACTERS) {
            throw new RegexSyntax("has more than " + MOST_CHARACTERS + " characters");
        }
        if (source.startsWith("***")) {
            throw new RegexSyntax("directors (***) are not supported");
        }
        boolean caseInsensitive = source.startsWith("(?i)");
        RegexTranslation translation = new RegexTranslation(caseInsensitive ? source.substring(4) : source);
        Both both = translation.alternatives(0);
        if (translation.position < translation.source.length()) {
            throw new RegexSyntax("parentheses () not balanced");
        }
        boolean nailed = both.straight.endsWith("\\z");
        return new Result(
                both.straight,
                both.turned,
                caseInsensitive,
                translation.groups,
                nailed && translation.alternatives == 0 && translation.reluctant == 0);
    }

    private Both alternatives(int depth) throws RegexSyntax {
        if (depth > MOST_DEPTH) {
            throw new RegexSyntax("is nested deeper than " + MOST_DEPTH);
        }
        Both all = branch(depth);
        while (at('|')) {
            position++;
            alternatives++;
            Both next = branch(depth);
            all = new Both(
                    all.straight + "|" + next.straight,
                    next.turned + "|" + all.turned,
                    Math.max(all.repetitions, next.repetitions));
        }
        return all;
    }

    private Both branch(int depth) throws RegexSyntax {
        Both all = Both.of("");
        while (position < source.length() && !at('|') && !at(')')) {
            all = all.then(piece(depth));
        }
        return all;
    }

    private Both piece(int depth) throws RegexSyntax {
        char c = source.charAt(position++);
        return switch (c) {
            case '^' -> constraint("^");
            case '$' -> constraint("\\z");
            case '(' -> parentheses(depth);
            case '.' -> quantified(Both.of("."));
            case '[' -> {
                RegexBrackets brackets = new RegexBrackets(source, position);
                String translated = brackets.translate();
                position = brackets.position();
                yield quantified(Both.of(translated));
            }
            case '\\' -> escape();
            case '*', '+', '?' -> throw new RegexSyntax("quantifier operand invalid");
            case '{' -> {
                if (position < source.length() && isDigit(source.charAt(position))) {
                    throw new RegexSyntax("quantifier operand invalid");
                }
                yield quantified(Both.of(RegexBrackets.literal(c)));
            }
            default -> quantified(Both.of(RegexBrackets.literal(c)));
        };
    }

    private Both parentheses(int depth) throws RegexSyntax {
        String opening = "(";
        boolean lookaround = false;
        boolean lookbehind = false;
        boolean capturing = lookarounds == 0;
        for (String kind : new String[] {"?:", "?=", "?!", "?<=", "?<!"}) {
            if (source.startsWith(kind, position)) {
                position += kind.length();
                opening = "(" + kind;
                capturing = false;
                lookaround = !kind.equals("?:");
                lookbehind = kind.startsWith("?<");
            }
        }
        if (at('?')) {
            throw new RegexSyntax("embedded options are not supported here");
        }
        if (lookaround) {
            lookarounds++;
        } else if (capturing) {
            groups++;
        } else {
            // Within a lookaround nothing is captured.
            opening = "(?:";
        }
        lookbehinds += lookbehind ? 1 : 0;
        Both inner = alternatives(depth + 1);
        lookbehinds -= lookbehind ? 1 : 0;
        if (!at(')')) {
            throw new RegexSyntax("parentheses () not balanced");
        }
        position++;
        if (lookaround) {
            lookarounds--;
            noQuantifier();
            return inner.in(opening, ")");
        }
        return quantified(inner.in(opening, ")"));
    }

    private Both escape() throws RegexSyntax {
        if (position >= source.length()) {
            throw new RegexSyntax("invalid escape \\ sequence");
        }
        char c = source.charAt(position++);
        if (!RegexBrackets.isAlphanumeric(c)) {
            return quantified(Both.of(RegexBrackets.literal(c)));
        }
        return switch (c) {
            case 'd', 'D', 's', 'S', 'w', 'W' -> quantified(Both.of("\\" + c));
            case 'A' -> constraint("^");
            case 'Z' -> constraint("\\z");
            case 'm' -> constraint(WORD_BEGIN);
            case 'M' -> constraint(WORD_END);
            case 'y' -> constraint("(?:" + WORD_BEGIN + "|" + WORD_END + ")");
            case 'Y' -> constraint("(?!" + WORD_BEGIN + ")(?!" + WORD_END + ")");
            case '1', '2', '3', '4', '5', '6', '7', '8', '9' ->
                throw new RegexSyntax("back references are not supported");
            default -> quantified(Both.of(RegexBrackets.literal(RegexBrackets.control(c))));
        };
    }

    private Both constraint(String java) throws RegexSyntax {
        noQuantifier();
        return Both.of(java);
    }

    private void noQuantifier() throws RegexSyntax {
        if (atQuantifier()) {
            throw new RegexSyntax("quantifier operand invalid");
        }
    }

    private boolean atQuantifier() {
        return at('*')
                || at('+')
                || at('?')
                || (at('{') && position + 1 < source.length() && isDigit(source.charAt(position + 1)));
    }

    private Both quantified(Both atom) throws RegexSyntax {
        if (!atQuantifier()) {
            return atom;
        }
        char c = source.charAt(position++);
        int repetitions = atom.repetitions;
        String quantifier = Character.toString(c);
        if (c == '{') {
            Bounds bounds = bounds();
            quantifier = bounds.java();
            repetitions *= Math.max(1, bounds.most());
            if (repetitions > MOST_REPETITIONS_NESTED) {
                throw new RegexSyntax("regular expression is too complex");
            }
        }
        if (lookbehinds > 0 && (c == '*' || c == '+' || quantifier.endsWith(",}"))) {
            throw new RegexSyntax("a lookbehind of any length is not supported");
        }
        boolean isReluctant = at('?');
        if (isReluctant) {
            position++;
            reluctant++;
        }
        noQuantifier();
        return new Both(
                atom.straight + quantifier + (isReluctant ? "?" : ""),
                atom.turned + quantifier + (isReluctant ? "" : "?"),
                repetitions);
    }

    private record Bounds(String java, int most) {}

    private Bounds bounds() throws RegexSyntax {
        int least = number();
        int most = least;
        boolean open = false;
        if (at(',')) {
            position++;
            open = at('}');
            most = open ? least : number();
        }
        if (!at('}')) {
            throw new RegexSyntax("invalid repetition count(s)");
        }
        position++;
        if (most < least) {
            throw new RegexSyntax("invalid repetition count(s)");
        }
        return new Bounds("{" + least + (open ? "," : "," + most) + "}", most);
    }

    private int number() throws RegexSyntax {
        int value = 0;
        int first = position;
        while (position < source.length() && isDigit(source.charAt(position)) && value <= MOST_REPETITIONS) {
            value = value * 10 + (source.charAt(position++) - '0');
        }
        if (position == first || value > MOST_REPETITIONS) {
            throw new RegexSyntax("invalid repetition count(s)");
        }
        return value;
    }

    private boolean at(char c) {
        return position < source.length() && source.charAt(position) == c;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
