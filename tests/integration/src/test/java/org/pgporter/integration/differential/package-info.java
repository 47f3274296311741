/// Conversations as data, each played to PostgreSQL and through PgPorter: what the two say must be equal.
@org.jspecify.annotations.NullMarked
package org.pgporter.integration.differential;
