/// The cancel keys that clients get, and the way from a key back to the session that holds it.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.cancel;
