package org.pgporter.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// What logins by LDAP may take; part of section `general`. Where the directory is stands in the rules of
/// `pg_hba.conf`.
///
/// @param ldapTimeout for connecting, and for each answer of the directory; a login asks up to three times
/// @param ldapConnections kept open for each rule at most, and logins that talk to its directory at one time
/// @param ldapQueue logins that wait for a connection of one rule; who finds no place is refused
/// @param ldapTlsCaCert who vouches for directories with TLS; absent: whoever the JDK trusts
public record LdapOptions(Duration ldapTimeout, int ldapConnections, int ldapQueue, Optional<Path> ldapTlsCaCert) {
    private static final LdapOptions DEFAULTS = new LdapOptions(Duration.ofSeconds(10), 8, 100, Optional.empty());

    public LdapOptions {
        new Checks()
                .positive("ldap_timeout", ldapTimeout)
                .atLeast("ldap_connections", 1, ldapConnections)
                .atLeast("ldap_queue", 1, ldapQueue)
                .throwIfAny();
    }

    public static LdapOptions defaults() {
        return DEFAULTS;
    }

    public LdapOptions withLdapTimeout(Duration changed) {
        return Records.with(this, "ldapTimeout", changed);
    }

    public LdapOptions withLdapConnections(int changed) {
        return Records.with(this, "ldapConnections", changed);
    }

    public LdapOptions withLdapQueue(int changed) {
        return Records.with(this, "ldapQueue", changed);
    }

    public LdapOptions withLdapTlsCaCert(Path changed) {
        return Records.with(this, "ldapTlsCaCert", Optional.of(changed));
    }
}
