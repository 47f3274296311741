/// What is stored about a user's password, in PostgreSQL's own text form, how it is derived from a password,
/// and the port through which it is looked up. Depends only on the values of `org.pgporter.auth` and on the
/// JDK's cryptography; SASLprep comes from `com.ongres.stringprep`.
@NullMarked
package org.pgporter.auth.credential;

import org.jspecify.annotations.NullMarked;
