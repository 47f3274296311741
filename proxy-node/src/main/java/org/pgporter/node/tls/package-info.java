/// TLS on both legs, below the streams: what stands in the files, the contexts made of it, and the handlers that
/// negotiate. Knows channels, and nothing of sessions and pools.
@NullMarked
package org.pgporter.node.tls;

import org.jspecify.annotations.NullMarked;
