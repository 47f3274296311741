/// `auth_query`: users that stand in no configuration are looked up in PostgreSQL, over backend connections
/// that no client ever gets. May know `pool` and what is below it.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.authquery;
