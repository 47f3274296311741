/// What the node counts: plain fields of each event loop, which are added up when somebody asks.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.stats;
