/// Measures PgPorter as a process of its own, side by side with PostgreSQL alone and other poolers. The program is
/// [Main]; how to run it and what it says stand in `tests/bench/README.md`.
///
/// May depend on `tests/support` and on the JDK. It starts PgPorter through the launcher and calls none of its
/// classes.
@org.jspecify.annotations.NullMarked
package org.pgporter.bench;
