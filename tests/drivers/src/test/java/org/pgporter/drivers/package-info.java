/// Programs of real drivers, with the drivers' default settings, through a node in transaction mode.
///
/// Drivers of other languages are programs in `python`, `go` and `node` beside `src`; [ForeignDriversIT] installs and
/// runs them. libpq is tested by psql and pgbench in `tests/integration`.
@org.jspecify.annotations.NullMarked
package org.pgporter.drivers;
