package org.pgporter.node.transport;

/// Tells the stream that read some bytes that they are on their way: it may deliver the next ones.
public enum Ack {
    ACK
}
