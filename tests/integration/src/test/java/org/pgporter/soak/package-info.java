/// A node under random clients for as long as one likes, with everything going wrong that can: who runs it gets the
/// figures, and a failure when an answer, a lease or memory was lost.
@org.jspecify.annotations.NullMarked
package org.pgporter.soak;
