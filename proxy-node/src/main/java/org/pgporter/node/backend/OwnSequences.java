package org.pgporter.node.backend;

import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/// A session asks for `currval()` or `lastval()`. A backend remembers those of whoever used it; unless it has
/// served nobody but this session since, and the session nowhere else, it is made to forget them. The session
/// then gets PostgreSQL's error 55000, and never another's value.
///
/// @param lastBackend where the session's last transaction ran
public record OwnSequences(Optional<ActorRef<BackendConnection.Command>> lastBackend) {}
