package org.pgporter.node.login;

import org.pgporter.auth.MockSecrets;
import org.pgporter.auth.credential.CredentialSource;

/// A method that rests on a stored secret, wherever that comes from.
@FunctionalInterface
public interface SecretMethod {
    /// @param credentials where the secret is looked up
    /// @param shown what unknown users are shown
    LoginMethod on(CredentialSource credentials, MockSecrets shown);
}
