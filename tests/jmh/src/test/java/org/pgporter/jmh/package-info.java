/// Shows that the benchmarks run. No test judges a time.
@org.jspecify.annotations.NullMarked
package org.pgporter.jmh;
