/// Framing and the wire log as Pekko Streams stages. The only package of the protocol that knows Pekko Streams. May
/// depend on `protocol.codec` and `protocol.message`.
@org.jspecify.annotations.NullMarked
package org.pgporter.protocol.stream;
