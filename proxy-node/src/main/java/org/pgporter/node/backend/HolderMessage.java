package org.pgporter.node.backend;

/// What the holder of a lease can be sent: the events of its lease, and messages of its own kind. So a
/// [LeaseEvent] needs no adapter, which would cost a wrapper and a detour for each.
public interface HolderMessage {}
