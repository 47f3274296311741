package org.pgporter.auth.hba;

/// Whom rules may ask.
public record HbaPorts(RoleMembership roles, HostNames hostNames, LocalNetworks networks) {}
