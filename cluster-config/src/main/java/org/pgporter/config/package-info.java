/// The configuration file as immutable records, one per section, and the loader that fills them and lists every
/// mistake.
///
/// The records are the schema: a component's name in snake case is the key, its type says how the value is written,
/// the record's `defaults()` is the only place of the default, and its constructor knows the range. Depends on
/// `auth` for passwords and on the YAML parser; knows no actors and no sockets.
@org.jspecify.annotations.NullMarked
package org.pgporter.config;
