/// What the nodes of a fleet are to each other: a node's identity, joining, and the names of things that cross
/// nodes. A node alone is a cluster of one; there is no other way to run. May depend on `config` and Pekko; its
/// subpackages each hold one thing the fleet owns.
@org.jspecify.annotations.NullMarked
package org.pgporter.cluster;
