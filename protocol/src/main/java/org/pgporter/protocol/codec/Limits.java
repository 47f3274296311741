package org.pgporter.protocol.codec;

/// Sizes in bytes that bound what a peer can make us hold or accept. Limits on a message count its length word and
/// its body, not the type byte, as the length word itself does.
public final class Limits {

    /// Startup packet without its length word: the constant of the same name in PostgreSQL's source (pqcomm.h).
    public static final int MAX_STARTUP_PACKET_LENGTH = 10_000;

    /// Any message before the client is in: PG_MAX_AUTH_TOKEN_LENGTH in PostgreSQL's source (auth.h), where tokens
    /// are the largest.
    public static final int MAX_AUTHENTICATION_MESSAGE = 65_535;

    /// Messages that have no reason to be long: PQ_SMALL_MESSAGE_LIMIT in PostgreSQL's source (libpq.h).
    public static final int SMALL_MESSAGE = 10_000;

    /// Messages that carry queries or data: PQ_LARGE_MESSAGE_LIMIT in PostgreSQL's source (libpq.h), which is
    /// MaxAllocSize - 1, two bytes short of 1 GiB.
    public static final int LARGE_MESSAGE = 0x3ffffffe;

    /// A server's short messages: libpq's own bound (VALID_LONG_MESSAGE_TYPE in fe-protocol3.c).
    public static final int SMALL_BACKEND_MESSAGE = 30_000;

    /// A server's parameter, authentication or notification, which may well be longer than libpq's bound. Ours.
    public static final int MEDIUM_BACKEND_MESSAGE = 1024 * 1024;

    /// Longest message that can be counted in an int with its type byte. PostgreSQL itself stays below 1 GiB.
    public static final int ANY_MESSAGE = Integer.MAX_VALUE - 1;

    /// How much of a frame is held back before it is passed on in pieces. Ours: names stand within it, and a read
    /// fits.
    public static final int HELD_MESSAGE = 65_536;

    /// How much of a description of rows or parameters is held back: a table has at most 1,600 columns, and a statement
    /// at most 65,535 parameters. Ours.
    public static final int HELD_DESCRIPTION = 1024 * 1024;

    /// How much of a Parse is held back: it must be seen as a whole to be translated. Ours.
    public static final int HELD_PARSE = 16 * 1024 * 1024;

    /// How much is copied to join a completed frame with what follows it in the next read, to save a write. Ours.
    public static final int JOINED = 8 * 1024;

    private Limits() {}
}
