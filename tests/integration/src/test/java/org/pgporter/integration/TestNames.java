package org.pgporter.integration;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver;
import java.net.spi.InetAddressResolverProvider;
import java.util.stream.Stream;

/// Host names for tests, beside those that the machine knows. The JVM finds this class by its service file.
public final class TestNames extends InetAddressResolverProvider {
    /// Another address of this machine than the usual one.
    static final String OTHER = "127.0.0.2";

    /// A name with two addresses: [#OTHER], and then the usual one.
    static final String OTHER_FIRST = "other-first.pgporter.test";

    @Override
    public InetAddressResolver get(Configuration configuration) {
        InetAddressResolver machine = configuration.builtinResolver();
        return new InetAddressResolver() {
            @Override
            public Stream<InetAddress> lookupByName(String host, LookupPolicy policy) throws UnknownHostException {
                if (host.equals(OTHER_FIRST)) {
                    return Stream.of(
                            InetAddress.getByAddress(new byte[] {127, 0, 0, 2}),
                            InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
                }
                return machine.lookupByName(host, policy);
            }

            @Override
            public String lookupByAddress(byte[] address) throws UnknownHostException {
                return machine.lookupByAddress(address);
            }
        };
    }

    @Override
    public String name() {
        return "names for tests";
    }
}
