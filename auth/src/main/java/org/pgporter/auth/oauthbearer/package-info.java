/// OAUTHBEARER (RFC 7628): the SASL mechanism by which PostgreSQL 18's libpq shows a token.
@NullMarked
package org.pgporter.auth.oauthbearer;

import org.jspecify.annotations.NullMarked;
