package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;

/// The SASL mechanisms that the server offers, the one it likes best first.
public record AuthenticationSasl(List<String> mechanisms) implements Authentication {

    public AuthenticationSasl {
        mechanisms = List.copyOf(mechanisms);
        for (String mechanism : mechanisms) {
            if (Wire.requireText(mechanism, "mechanism").isEmpty()) {
                throw new IllegalArgumentException("mechanism is empty");
            }
        }
    }

    public static final int CODE = 10;

    public static AuthenticationSasl decode(ByteBuf body) {
        Wire.expectCode(body, CODE);
        List<String> mechanisms = new ArrayList<>();
        for (String next = Wire.readText(body); !next.isEmpty(); next = Wire.readText(body)) {
            mechanisms.add(next);
        }
        return Wire.end(body, new AuthenticationSasl(mechanisms));
    }

    @Override
    public int code() {
        return CODE;
    }

    @Override
    public void encodeDataTo(ByteBuf out) {
        mechanisms.forEach(mechanism -> Wire.writeText(out, mechanism));
        out.writeByte(0);
    }
}
