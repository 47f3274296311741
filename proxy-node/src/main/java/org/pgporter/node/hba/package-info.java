/// What the rules of `pg_hba.conf` need of the world: their files, the names of clients, the networks of
/// this machine, who is a member of which role; and the rules that hold at this moment.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.hba;
