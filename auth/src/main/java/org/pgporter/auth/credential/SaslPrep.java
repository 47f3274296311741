package org.pgporter.auth.credential;

import com.ongres.saslprep.SASLprep;
import com.ongres.stringprep.Profile;

/// Normalizes a password by RFC 4013, with PostgreSQL's leniency: a text that the profile forbids, or that
/// would become empty, is used unchanged. Both sides must do it alike, or a password with an odd character
/// stops working.
public final class SaslPrep {
    private static final Profile PROFILE = new SASLprep();

    private SaslPrep() {}

    /// The normalized text, or the text itself if it cannot be normalized.
    public static String prepare(String text) {
        if (text.chars().allMatch(c -> c < 0x80)) {
            return text;
        }
        try {
            String prepared = PROFILE.prepareStored(text);
            return prepared.isEmpty() ? text : prepared;
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException _) {
            // Forbidden; the second is how the library answers when nothing is left to check.
            return text;
        }
    }
}
