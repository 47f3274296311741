/// A whole node, with clients on one side and PostgreSQL or a fake of it on the other.
@org.jspecify.annotations.NullMarked
package org.pgporter.integration;
