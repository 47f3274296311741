package org.pgporter.auth.credential;

import java.util.Arrays;

/// The two secrets of a user whose password is being changed: for a while both open the door. Both are asked for in
/// one exchange, so they are of one kind, and SCRAM secrets share salt and iterations.
///
/// @param current tried first
/// @param previous goes away when everybody has the current one
public record RotatedSecret(HashedCredential current, HashedCredential previous) implements HashedCredential {
    /// @throws IllegalArgumentException if one exchange cannot ask for both
    public RotatedSecret {
        boolean fit = switch (current) {
            case ScramSecret scram ->
                previous instanceof ScramSecret other
                        && scram.iterations() == other.iterations()
                        && Arrays.equals(scram.salt(), other.salt());
            case Md5Secret _ -> previous instanceof Md5Secret;
            case RotatedSecret _ -> false;
        };
        if (!fit) {
            throw new IllegalArgumentException("one exchange cannot ask for both secrets");
        }
    }

    /// That of the current one.
    @Override
    public String format() {
        return current.format();
    }
}
