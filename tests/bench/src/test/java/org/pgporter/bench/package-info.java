/// Tests of the benchmark program: that it counts right, and that it runs. No test judges a time.
@org.jspecify.annotations.NullMarked
package org.pgporter.bench;
