/// The PostgreSQL frontend/backend protocol, versions 3.0 and 3.2. Knows no sockets and no actors.
@org.jspecify.annotations.NullMarked
package org.pgporter.protocol;
