/// The messages of the PostgreSQL frontend/backend protocol as records, one per file, named as in PostgreSQL's
/// documentation. Each decodes and encodes its own body. Nothing here retains a buffer. May depend on
/// `io.netty.buffer` only.
@org.jspecify.annotations.NullMarked
package org.pgporter.protocol.message;
