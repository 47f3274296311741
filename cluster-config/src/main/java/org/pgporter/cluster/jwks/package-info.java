/// Where the public keys of token issuers come from. For now only the port: the cache that the fleet shares comes
/// with JWT.
@org.jspecify.annotations.NullMarked
package org.pgporter.cluster.jwks;
