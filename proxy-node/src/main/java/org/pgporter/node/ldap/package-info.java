/// Logins by LDAP: which directory, and whether it takes a password. Calls block and run on virtual threads. Knows of
/// the
/// node nothing.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.ldap;
