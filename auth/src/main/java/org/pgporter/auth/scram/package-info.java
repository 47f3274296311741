/// SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it: the server's side towards our clients, the
/// client's side towards PostgreSQL. Depends on `org.pgporter.auth` and its `credential` package.
@NullMarked
package org.pgporter.auth.scram;

import org.jspecify.annotations.NullMarked;
