/// Where a node finds the stored credentials of users: the configuration, and what lookups have found,
/// remembered for a while. Implements the ports of `auth`; may depend on `config`.
@org.jspecify.annotations.NullMarked
package org.pgporter.cluster.credential;
