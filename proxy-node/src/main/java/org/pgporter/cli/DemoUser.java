package org.pgporter.cli;

import java.util.List;

/// One of the people in the demo. The passwords are no secrets: they are printed, can be typed, and work on this
/// machine only while the
/// demo runs.
///
/// @param name the PostgreSQL user, in plain lower case so that it needs no quotes
/// @param password what PostgreSQL gets to know as a SCRAM secret only
record DemoUser(String name, String password) {
    static final DemoUser ALICE = new DemoUser("alice", "alice-in-demo");
    static final DemoUser BOB = new DemoUser("bob", "bob-in-demo");
    static final DemoUser CAROL = new DemoUser("carol", "carol-in-demo");

    static final List<DemoUser> ALL = List.of(ALICE, BOB, CAROL);
}
