/// Cuts a stream of bytes into frames without decoding them: what is held back, what passes in pieces, what is
/// refused. Pure and single-threaded. May depend on `protocol.message` and `io.netty.buffer`.
@org.jspecify.annotations.NullMarked
package org.pgporter.protocol.codec;
