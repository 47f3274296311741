/// Threads for work that would hold an event loop. Knows nothing of the node.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.work;
