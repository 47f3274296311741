package org.pgporter.node.backend;

/// What the owner of backend connections can be sent: what these tell, and messages of its own kind. So a
/// [BackendConnection.Event] needs no adapter, which would cost a wrapper and a detour for each.
public interface OwnerMessage {}
