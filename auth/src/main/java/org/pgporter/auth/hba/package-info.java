/// The rules of `pg_hba.conf` and the maps of `pg_ident.conf`, with PostgreSQL's meaning.
@org.jspecify.annotations.NullMarked
package org.pgporter.auth.hba;
