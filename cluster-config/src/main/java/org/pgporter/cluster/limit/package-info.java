/// How many backend connections the nodes of a fleet may hold together: the port that pools ask, and what answers
/// it while a node is alone. Depends on nothing but the names in `cluster`.
@org.jspecify.annotations.NullMarked
package org.pgporter.cluster.limit;
