/// PostgreSQL's MD5 password exchange, in both directions. Depends on `org.pgporter.auth` and its `credential`
/// package.
@NullMarked
package org.pgporter.auth.md5;

import org.jspecify.annotations.NullMarked;
