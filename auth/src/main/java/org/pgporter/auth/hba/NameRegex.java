package org.pgporter.auth.hba;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.pgporter.protocol.message.WireText;

/// A regular expression of the rules, in PostgreSQL's language. It looks at the bytes of a name, one by
/// one: when PostgreSQL reads these files it does not know an encoding yet.
///
/// Java's engine can take for ever. Each match may look at so many characters; what takes longer is not
/// answered.
final class NameRegex {
    /// About a millisecond of work. A name has 63 bytes, so sensible expressions need some hundreds.
    static final int MOST_STEPS = 100_000;

    /// Names of the rules are shorter; identities of methods (distinguished names) may be longer.
    static final int LONGEST_TEXT = 1024;

    private final String text;
    private final Pattern straight;
    private final Pattern turned;
    private final RegexTranslation.Result translation;

    /// What a search has found.
    sealed interface Found {
        /// @param group1 empty when the group has taken no part, or when there is none
        /// @param ambiguous whether group 1 could be something else just as well
        record Yes(Optional<String> group1, boolean ambiguous) implements Found {}

        record No() implements Found {}

        /// It would take too long.
        record TooMuch() implements Found {}
    }

    private NameRegex(String text, Pattern straight, Pattern turned, RegexTranslation.Result translation) {
        this.text = text;
        this.straight = straight;
        this.turned = turned;
        this.translation = translation;
    }

    /// @param text the expression, without the slash before it
    static NameRegex compile(String text) throws RegexSyntax {
        RegexTranslation.Result translation = RegexTranslation.translate(bytesOf(text));
        try {
            int flags = Pattern.DOTALL | (translation.caseInsensitive() ? Pattern.CASE_INSENSITIVE : 0);
            return new NameRegex(
                    text,
                    Pattern.compile(translation.straight(), flags),
                    Pattern.compile(translation.turned(), flags),
                    translation);
        } catch (PatternSyntaxException _) {
            // Whatever the translation has overlooked is not taken for something else.
            throw new RegexSyntax("is not supported here");
        }
    }

    boolean hasGroup() {
        return translation.groups() > 0;
    }

    /// Whether it is found anywhere in `name`.
    Found find(String name) {
        String bytes = bytesOf(name);
        if (bytes.length() > LONGEST_TEXT) {
            return new Found.TooMuch();
        }
        try {
            Matcher first = straight.matcher(new CountedText(bytes));
            if (!first.find()) {
                return new Found.No();
            }
            if (!hasGroup()) {
                return new Found.Yes(Optional.empty(), false);
            }
            boolean ambiguous = false;
            if (!translation.plain()) {
                Matcher second = turned.matcher(new CountedText(bytes));
                ambiguous = !second.find() || second.start(1) != first.start(1) || second.end(1) != first.end(1);
            }
            return new Found.Yes(
                    Optional.ofNullable(first.group(1))
                            .map(group -> WireText.decode(group.getBytes(StandardCharsets.ISO_8859_1))),
                    ambiguous);
        } catch (Exhausted | StackOverflowError _) {
            return new Found.TooMuch();
        }
    }

    private static String bytesOf(String name) {
        return new String(WireText.encode(name), StandardCharsets.ISO_8859_1);
    }

    /// The same expression, so that it matches the same names.
    @Override
    public boolean equals(Object other) {
        return other instanceof NameRegex regex && regex.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return "/" + text;
    }

    private static final class Exhausted extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Exhausted() {
            super("too many steps", null, false, false);
        }
    }

    /// Counts how often the engine looks at it.
    private static final class CountedText implements CharSequence {
        private final String text;
        private int left = MOST_STEPS;

        CountedText(String text) {
            this.text = text;
        }

        @Override
        public char charAt(int index) {
            if (--left < 0) {
                throw new Exhausted();
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.substring(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
