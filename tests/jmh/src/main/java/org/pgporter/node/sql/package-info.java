/// Benchmarks of reading SQL, in the package of what they measure, because that is open to its package only.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.sql;
