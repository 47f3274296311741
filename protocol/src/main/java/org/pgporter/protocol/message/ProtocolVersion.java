package org.pgporter.protocol.message;

/// A version of the protocol. Majors and minors are 16 bit each.
public record ProtocolVersion(int major, int minor) implements Comparable<ProtocolVersion> {

    /// What every client and server of the last twenty years speaks.
    public static final ProtocolVersion V3_0 = new ProtocolVersion(3, 0);

    /// PostgreSQL 18: longer cancel keys.
    public static final ProtocolVersion V3_2 = new ProtocolVersion(3, 2);

    public ProtocolVersion {
        if (major < 0 || major > 0xffff || minor < 0 || minor > 0xffff) {
            throw new IllegalArgumentException("not a protocol version: " + major + "." + minor);
        }
    }

    /// The version in the 32 bits of the startup packet.
    public static ProtocolVersion of(int code) {
        return new ProtocolVersion(code >>> 16, code & 0xffff);
    }

    /// The 32 bits of the startup packet: 196608 for 3.0.
    public int code() {
        return major << 16 | minor;
    }

    @Override
    public int compareTo(ProtocolVersion other) {
        return Integer.compareUnsigned(code(), other.code());
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
