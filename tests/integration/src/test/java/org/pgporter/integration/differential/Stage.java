package org.pgporter.integration.differential;

import java.util.ArrayList;
import java.util.List;
import org.pgporter.config.PoolMode;
import org.pgporter.integration.TestNode;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// A server, nodes in transaction and in session mode in front of it, and the tables that conversations speak about.
/// Before each play everything is as it was before the first.
///
/// In transaction mode a conversation of one client has one backend, so that it finds again what it does to it;
/// several clients share several backends.
final class Stage implements AutoCloseable {
    private static final String ROLE = "player";
    private static final String PASSWORD = "secret";
    private static final String DATABASE = "theatre";

    /// What every conversation finds.
    private static final List<String> PROPS = List.of(
            "create table item (id int primary key, name text, price numeric default 0)",
            "create table later (id int unique deferrable initially deferred)",
            "create type mood as enum ('sad', 'happy')",
            "create function fail(text) returns int language plpgsql as 'begin raise exception ''%'', $1; end'",
            "create function tell(text) returns int language plpgsql as"
                    + " 'begin raise notice ''%'', $1; raise warning ''careful: %'', $1; return 1; end'",
            "create function tell_often(int) returns int language plpgsql as"
                    + " 'begin for i in 1..$1 loop raise notice ''%'', i; end loop; return $1; end'",
            "create procedure insert_and_commit(int) language plpgsql as"
                    + " 'begin for i in 1..$1 loop insert into item values (i); commit; end loop; end'",
            "create procedure insert_and_roll_back(int) language plpgsql as"
                    + " 'begin for i in 1..$1 loop insert into item values (i); rollback; end loop; end'",
            "create procedure commit_and_fail() language plpgsql as"
                    + " 'begin insert into item values (1); commit; insert into item values (2); perform fail(''late'');"
                    + " end'",
            "create procedure give_back(inout n int) language plpgsql as 'begin n := n * 2; end'",
            "create view items as select id, name from item");

    private final TestPostgres postgres;
    private final RawClient director;
    private final Player direct;
    private final List<TestNode> nodes = new ArrayList<>();
    private final Player alone;
    private final Player withOthers;
    private final Player inSessionMode;

    private Stage(PostgresMajor major) {
        postgres = TestPostgres.of(major)
                .setting("max_prepared_transactions", "10")
                .start();
        postgres.createUser(ROLE, PASSWORD, "scram-sha-256");
        postgres.createDatabase(DATABASE, ROLE);
        director = RawClient.connects(postgres).logsIn("postgres", "", DATABASE);
        director.query("set lock_timeout = '9s'");
        director.query("set client_min_messages = error");
        director.query("grant all on schema public to " + ROLE);
        director.query("set role " + ROLE);
        PROPS.forEach(director::query);
        director.query("reset role");
        var lastOid = Integer.parseInt(director.query("select max(oid::bigint) from pg_class")
                .getFirst()
                .getFirst());
        direct = player(postgres.host(), postgres.port(), lastOid);
        alone = proxied(PoolMode.TRANSACTION, 1, lastOid);
        withOthers = proxied(PoolMode.TRANSACTION, 4, lastOid);
        inSessionMode = proxied(PoolMode.SESSION, 4, lastOid);
    }

    private Player proxied(PoolMode mode, int poolSize, int lastOid) {
        var node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(DATABASE, ROLE, postgres.secretOf(ROLE))
                .pools(pools -> pools.withPoolMode(mode).withPoolSize(poolSize))
                .start();
        nodes.add(node);
        return player(node.host(), node.port(), lastOid);
    }

    private static Player player(String host, int port, int lastOid) {
        return new Player(host, port, ROLE, PASSWORD, DATABASE, lastOid);
    }

    static Stage open(PostgresMajor major) {
        return new Stage(major);
    }

    Heard playDirectly(Conversation conversation, Delivery delivery) {
        setUp(conversation);
        return direct.play(conversation, delivery);
    }

    Heard playProxied(Conversation conversation, PoolMode mode, Delivery delivery) {
        setUp(conversation);
        var player = mode == PoolMode.SESSION
                ? inSessionMode
                : conversation.clients().size() == 1 ? alone : withOthers;
        return player.play(conversation, delivery);
    }

    /// Waits for what is still going on in sessions that have ended.
    private void setUp(Conversation conversation) {
        for (var prepared : director.query("select gid from pg_prepared_xacts where database = current_database()")) {
            director.query("rollback prepared '" + prepared.getFirst() + "'");
        }
        director.query("truncate item, later");
        if (conversation.text().contains("play.")) {
            director.query("drop schema if exists play cascade");
            director.query("create schema play authorization " + ROLE);
        }
        conversation.setup().forEach(director::query);
    }

    @Override
    public void close() {
        director.terminates();
        try {
            nodes.forEach(TestNode::close);
        } finally {
            postgres.close();
        }
    }
}
