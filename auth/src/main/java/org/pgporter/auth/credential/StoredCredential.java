package org.pgporter.auth.credential;

import org.pgporter.auth.Secret;

/// What is stored for a user: the content of `pg_authid.rolpassword`, a password in plain text, or where the key for
/// its tokens is. No variant shows anything secret in `toString`.
public sealed interface StoredCredential permits HashedCredential, PlainPassword, JwtKeyFile {

    /// Reads PostgreSQL's text form. The prefix decides: `SCRAM-` and `md5` announce a hash, which then must be
    /// complete; `jwt-pkey-fpath:` a key file; everything else is a plain password.
    ///
    /// @throws IllegalArgumentException if the text is empty, or announces a hash and is none; the message says
    ///     what is wrong and never contains the text
    static StoredCredential parse(String text) {
        if (text.startsWith(ScramSecret.FAMILY_PREFIX)) {
            return ScramSecret.parse(text);
        }
        if (text.startsWith(Md5Secret.PREFIX)) {
            return Md5Secret.parse(text);
        }
        if (text.startsWith(JwtKeyFile.PREFIX)) {
            return new JwtKeyFile(text.substring(JwtKeyFile.PREFIX.length()));
        }
        return new PlainPassword(Secret.of(text));
    }

    /// The text that [#parse(String)] reads, as PostgreSQL writes it. It is as secret as the password.
    String format();
}
