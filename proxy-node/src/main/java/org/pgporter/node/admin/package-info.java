/// The console: what an operator asks a running node, and what it does at his word. [Command] is what can be asked,
/// [CommandReader] reads it, [Console] answers it, and [ConsoleTalk] speaks the protocol of PostgreSQL with the client.
///
/// Stands above sessions and pools, which it asks by messages only: nothing here is on the path of a query.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.admin;
