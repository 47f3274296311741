/// What the tests of every module, and the demo, are made with: a real PostgreSQL ([TestPostgres]), a server that
/// misbehaves
/// on purpose ([ScriptedServer]), a client that speaks the wire's verbs ([RawClient]) and the tools of a PostgreSQL
/// installation when there is one ([PgTools]).
///
/// May depend on `protocol` and on libraries; nothing that PgPorter runs in production may depend on it.
@org.jspecify.annotations.NullMarked
package org.pgporter.support;
