/// What only the operating system's own libraries can tell: names of its users, and PAM. Calls block, so they run on
/// threads of their own. Knows of the node nothing but its executors.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.os;
