/// What the benchmarks of all packages share. The benchmarks themselves stand in the packages of what they measure,
/// because much of that is open to its package only; nothing is opened for them.
@org.jspecify.annotations.NullMarked
package org.pgporter.jmh;
