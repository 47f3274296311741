/// Where a node finds the stored credentials of users: for now the configuration. Implements the port of `auth`;
/// may depend on `config`.
@org.jspecify.annotations.NullMarked
package org.pgporter.cluster.credential;
