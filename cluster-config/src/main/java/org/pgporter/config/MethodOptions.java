package org.pgporter.config;

/// What methods of authentication may take that ask somebody else; part of section `general`.
public record MethodOptions(@Flat PamOptions pam, @Flat LdapOptions ldap) {
    private static final MethodOptions DEFAULTS = new MethodOptions(PamOptions.defaults(), LdapOptions.defaults());

    public static MethodOptions defaults() {
        return DEFAULTS;
    }

    public MethodOptions withPam(PamOptions changed) {
        return Records.with(this, "pam", changed);
    }

    public MethodOptions withLdap(LdapOptions changed) {
        return Records.with(this, "ldap", changed);
    }
}
