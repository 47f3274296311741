package org.pgporter.node.admin;

import io.netty.buffer.ByteBuf;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/// The types that columns of the console have, with their numbers in PostgreSQL's `pg_type`.
enum ColumnType {
    TEXT(25, -1) {
        @Override
        void writeBinary(String value, ByteBuf out) {
            writeText(value, out);
        }
    },
    INT4(23, 4) {
        @Override
        void writeBinary(String value, ByteBuf out) {
            out.writeInt(4).writeInt(Integer.parseInt(value));
        }
    },
    INT8(20, 8) {
        @Override
        void writeBinary(String value, ByteBuf out) {
            out.writeInt(8).writeLong(Long.parseLong(value));
        }
    },
    /// Whole numbers of any length.
    NUMERIC(1700, -1) {
        @Override
        void writeBinary(String value, ByteBuf out) {
            numeric(new BigInteger(value), out);
        }
    };

    private static final BigInteger BASE = BigInteger.valueOf(10_000);
    private static final int NEGATIVE = 0x4000;

    private final int oid;
    private final int size;

    ColumnType(int oid, int size) {
        this.oid = oid;
        this.size = size;
    }

    int oid() {
        return oid;
    }

    int size() {
        return size;
    }

    /// Appends length and bytes of a value in its binary format.
    abstract void writeBinary(String value, ByteBuf out);

    static void writeText(String value, ByteBuf out) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length).writeBytes(bytes);
    }

    /// As `numeric_send` in PostgreSQL: number of digits to the base 10000, weight of the first, sign, scale, digits.
    private static void numeric(BigInteger value, ByteBuf out) {
        BigInteger rest = value.abs();
        short[] digits = new short[rest.bitLength() / 13 + 1];
        int count = 0;
        while (rest.signum() > 0) {
            BigInteger[] parts = rest.divideAndRemainder(BASE);
            digits[count++] = parts[1].shortValueExact();
            rest = parts[0];
        }
        out.writeInt(8 + 2 * count).writeShort(count).writeShort(Math.max(0, count - 1));
        out.writeShort(value.signum() < 0 ? NEGATIVE : 0).writeShort(0);
        for (int i = count - 1; i >= 0; i--) {
            out.writeShort(digits[i]);
        }
    }
}
