package org.pgporter.auth.hba;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/// Addresses that agree in the bits of a mask. IPv4 and IPv6 never agree; what comes as IPv4 in IPv6 clothes
/// (`::ffff:10.1.2.3`, from a socket that listens for both) is IPv4.
public final class AddressRange {
    /// A part with a leading zero would be octal to some and decimal to others.
    private static final Pattern IPV4 = Pattern.compile("(?:(?:0|[1-9][0-9]{0,2})(?:\\.(?=[0-9])|$)){4}");

    private static final Pattern PREFIX = Pattern.compile("[0-9]{1,3}");
    private static final int IPV4_BYTES = 4;
    private static final int IPV6_BYTES = 16;

    private final byte[] address;
    private final byte[] mask;

    private AddressRange(byte[] address, byte[] mask) {
        this.address = address;
        this.mask = mask;
    }

    /// The network around an address.
    ///
    /// @param prefix how many bits count
    /// @throws IllegalArgumentException when an address has fewer
    public static AddressRange of(InetAddress address, int prefix) {
        byte[] bytes = bytes(address);
        if (prefix < 0 || prefix > bytes.length * Byte.SIZE) {
            throw new IllegalArgumentException("no prefix of " + address + ": " + prefix);
        }
        return new AddressRange(bytes, maskOf(prefix, bytes.length));
    }

    /// `10.0.0.0/8`, or one address.
    public static Optional<AddressRange> parse(String text) {
        int slash = text.indexOf('/');
        return literal(slash < 0 ? text : text.substring(0, slash))
                .flatMap(address -> slash < 0
                        ? Optional.of(new AddressRange(address, maskOf(address.length * Byte.SIZE, address.length)))
                        : withPrefix(address, text.substring(slash + 1)));
    }

    /// An address and how many of its bits count; empty when these are too many or no number.
    static Optional<AddressRange> withPrefix(byte[] address, String prefix) {
        if (!PREFIX.matcher(prefix).matches()) {
            return Optional.empty();
        }
        int bits = Integer.parseInt(prefix);
        return bits > address.length * Byte.SIZE
                ? Optional.empty()
                : Optional.of(new AddressRange(address, maskOf(bits, address.length)));
    }

    /// An address and its mask, which need not be a prefix; empty when one is IPv4 and the other is not.
    static Optional<AddressRange> withMask(byte[] address, byte[] mask) {
        return address.length == mask.length ? Optional.of(new AddressRange(address, mask)) : Optional.empty();
    }

    /// The bytes of an address as it is written; empty when it is none. Never looks up a name.
    static Optional<byte[]> literal(String text) {
        if (IPV4.matcher(text).matches()) {
            byte[] bytes = new byte[IPV4_BYTES];
            String[] parts = text.split("\\.", -1);
            for (int i = 0; i < IPV4_BYTES; i++) {
                int part = Integer.parseInt(parts[i]);
                if (part > 255) {
                    return Optional.empty();
                }
                bytes[i] = (byte) part;
            }
            return Optional.of(bytes);
        }
        if (text.indexOf(':') < 0 || text.indexOf('%') >= 0 || text.indexOf('[') >= 0) {
            return Optional.empty();
        }
        try {
            byte[] bytes = Inet6Address.ofLiteral(text).getAddress();
            return Optional.of(bytes.length == IPV4_BYTES ? asIpv6(bytes) : bytes);
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /// What is written as IPv6 stays IPv6, and so matches nobody: PostgreSQL does the same.
    private static byte[] asIpv6(byte[] ipv4) {
        byte[] bytes = new byte[IPV6_BYTES];
        bytes[10] = (byte) 0xff;
        bytes[11] = (byte) 0xff;
        System.arraycopy(ipv4, 0, bytes, IPV6_BYTES - IPV4_BYTES, IPV4_BYTES);
        return bytes;
    }

    private static byte[] bytes(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (address instanceof Inet4Address || !isMapped(bytes)) {
            return bytes;
        }
        return Arrays.copyOfRange(bytes, IPV6_BYTES - IPV4_BYTES, IPV6_BYTES);
    }

    private static boolean isMapped(byte[] bytes) {
        return Arrays.equals(Arrays.copyOf(bytes, 12), Arrays.copyOf(asIpv6(new byte[IPV4_BYTES]), 12));
    }

    private static byte[] maskOf(int bits, int length) {
        byte[] mask = new byte[length];
        for (int i = 0; i < bits; i++) {
            mask[i / Byte.SIZE] |= (byte) (0x80 >> (i % Byte.SIZE));
        }
        return mask;
    }

    public boolean contains(InetAddress client) {
        return contains(bytes(client));
    }

    private boolean contains(byte[] client) {
        if (client.length != address.length) {
            return false;
        }
        for (int i = 0; i < client.length; i++) {
            if (((client[i] ^ address[i]) & mask[i]) != 0) {
                return false;
            }
        }
        return true;
    }

    /// Whether it is this very address, whatever the mask.
    boolean isAt(InetAddress client) {
        return Arrays.equals(address, bytes(client));
    }

    /// Whether every address of `other` is one of these.
    boolean covers(AddressRange other) {
        if (!contains(other.address)) {
            return false;
        }
        for (int i = 0; i < mask.length; i++) {
            if ((mask[i] & ~other.mask[i]) != 0) {
                return false;
            }
        }
        return true;
    }

    /// What makes this the same range as another one: the bits of the mask, and of the address those that
    /// count.
    private byte[] significant() {
        byte[] bits = new byte[address.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (byte) (address[i] & mask[i]);
        }
        return bits;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AddressRange range
                && Arrays.equals(mask, range.mask)
                && Arrays.equals(significant(), range.significant());
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(mask) + Arrays.hashCode(significant());
    }
}
