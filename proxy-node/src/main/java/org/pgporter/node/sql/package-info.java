/// Reads the texts of SQL statements as far as a proxy has to: which of them may change what a session keeps
/// beyond its transaction. Pure functions over bytes; knows nothing else of the node.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.sql;
