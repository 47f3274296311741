/// One running node: puts event loops, pools, sessions and listeners together, and takes them apart in order.
@org.jspecify.annotations.NullMarked
package org.pgporter.node;
