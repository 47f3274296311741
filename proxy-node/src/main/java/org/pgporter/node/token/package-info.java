/// Tokens on this node: where the keys of their issuers come from, and whom they make somebody.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.token;
