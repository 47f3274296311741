package org.pgporter.node.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ColumnTypeTest {
    /// What PostgreSQL itself sends: `select encode(numeric_send(12345678), 'hex')` and its like.
    @ParameterizedTest
    @CsvSource({
        "TEXT, abc, 616263",
        "INT4, -2, fffffffe",
        "INT8, 4294967296, 0000000100000000",
        "NUMERIC, 0, 0000000000000000",
        "NUMERIC, 1, 00010000000000000001",
        "NUMERIC, 10000, 0002000100000000" + "00010000",
        "NUMERIC, -12345678, 0002000140000000" + "04d2162e",
        "NUMERIC, 100000000000000000000, 0006000500000000" + "000100000000000000000000",
    })
    void shouldWriteValuesInBinary(ColumnType type, String value, String hex) {
        ByteBuf out = Unpooled.buffer();

        type.writeBinary(value, out);

        assertThat(out.readInt()).isEqualTo(hex.length() / 2);
        assertThat(ByteBufUtil.hexDump(out)).isEqualTo(hex);
    }
}
