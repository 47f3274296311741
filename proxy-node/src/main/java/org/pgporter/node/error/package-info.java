/// The errors that PgPorter itself reports to clients: one place for their SQLSTATEs and words. PostgreSQL's
/// codes; where tools match PgBouncer's words, the message contains them.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.error;
