package org.pgporter.auth.hba;

import java.util.Arrays;
import java.util.Optional;

/// The methods of `pg_hba.conf` that PgPorter has, PostgreSQL's and `jwt`.
public enum AuthMethod {
    /// Nothing is asked.
    TRUST("trust"),
    /// Nobody comes in.
    REJECT("reject"),
    /// MD5, or SCRAM where that is what is stored.
    MD5("md5"),
    SCRAM_SHA_256("scram-sha-256"),
    /// The password itself, held against what is stored.
    PASSWORD("password"),
    /// The client's certificate.
    CERT("cert"),
    PAM("pam"),
    LDAP("ldap"),
    /// The operating system's user at the other end of a Unix socket.
    PEER("peer"),
    /// A token as password.
    JWT("jwt"),
    /// OAUTHBEARER (RFC 7628).
    OAUTH("oauth");

    private final String word;

    AuthMethod(String word) {
        this.word = word;
    }

    /// As it stands in `pg_hba.conf`, case and all.
    public static Optional<AuthMethod> of(String word) {
        return Arrays.stream(values())
                .filter(method -> method.word.equals(word))
                .findFirst();
    }

    /// As it stands in `pg_hba.conf`.
    public String word() {
        return word;
    }

    @Override
    public String toString() {
        return word;
    }
}
