package org.pgporter.auth.credential;

import org.pgporter.auth.Secret;

/// A password in plain text. Clients with one are asked by SCRAM-SHA-256; see
/// [org.pgporter.auth.MockSecrets#adHocSecret].
public record PlainPassword(Secret password) implements StoredCredential {
    /// @throws IllegalArgumentException if the password is empty: nobody may log in without one
    public PlainPassword {
        if (password.isEmpty()) {
            throw new IllegalArgumentException("the password is empty");
        }
    }

    @Override
    public String format() {
        return password.reveal();
    }
}
