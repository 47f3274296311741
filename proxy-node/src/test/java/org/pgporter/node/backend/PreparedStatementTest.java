package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PreparedStatementTest {
    private static byte[] definition(String sql) {
        return (sql + "\0\0\0").getBytes(StandardCharsets.UTF_8);
    }

    private static PreparedStatement named(byte[] definition) {
        return PreparedStatement.named(definition, PlanContext.DEFAULT);
    }

    @Test
    void shouldBeEqualWhenTheBytesAre() {
        PreparedStatement one = named(definition("select 1"));
        assertThat(one)
                .isEqualTo(named(definition("select 1")))
                .hasSameHashCodeAs(named(definition("select 1")))
                .isNotEqualTo(named(definition("select 2")))
                .isNotEqualTo(named(definition("select 1 ")));
    }

    @Test
    void shouldTellParameterTypesApart() { // checklist 87
        byte[] asText = {'$', '1', 0, 0, 1, 0, 0, 0, 25};
        byte[] asInt = {'$', '1', 0, 0, 1, 0, 0, 0, 23};
        assertThat(named(asText)).isNotEqualTo(named(asInt));
    }

    @Test
    void shouldNotTakeAnotherTextWithTheSameHashForTheSame() { // checklist 87
        // "Aa" and "BB" have one hash, and so have all texts made of them.
        PreparedStatement one = named(definition("select Aa"));
        PreparedStatement other = named(definition("select BB"));
        assertThat(one).hasSameHashCodeAs(other).isNotEqualTo(other);

        StatementCatalog catalog = new StatementCatalog();
        assertThat(catalog.statement(definition("select Aa"), PlanContext.DEFAULT))
                .isNotSameAs(catalog.statement(definition("select BB"), PlanContext.DEFAULT));
    }

    @Test
    void shouldKeepNamedAndUnnamedApart() {
        PreparedStatement unnamed = PreparedStatement.unnamed(definition("select 1"));
        assertThat(unnamed).isNotEqualTo(named(definition("select 1")));
        assertThat(unnamed.isNamed()).isFalse();
        assertThat(unnamed.serverName()).isEmpty();
    }

    @Test
    void shouldNeverGiveOneServerNameTwice() { // checklist 96
        PreparedStatement one = named(definition("select 1"));
        PreparedStatement other = named(definition("select 1"));
        assertThat(one.serverName()).startsWith(PreparedStatement.NAME_PREFIX).isNotEqualTo(other.serverName());
    }

    @Test
    void shouldWriteParseAndClose() {
        PreparedStatement statement = named(definition("x"));
        ByteBuf out = Unpooled.buffer();
        statement.writeParse(out);
        statement.writeClose(out);
        String name = statement.serverName();
        ByteBuf expected = Unpooled.buffer();
        expected.writeByte('P').writeInt(4 + name.length() + 1 + 4);
        expected.writeBytes((name + "\0x\0\0\0").getBytes(StandardCharsets.US_ASCII));
        expected.writeByte('C').writeInt(4 + 1 + name.length() + 1);
        expected.writeBytes(("S" + name + "\0").getBytes(StandardCharsets.US_ASCII));
        assertThat(out).isEqualTo(expected);
        assertThat(statement.size()).isEqualTo(4);
    }

    @Test
    void shouldShareOneStatementPerDefinition() { // checklist 97
        StatementCatalog catalog = new StatementCatalog();
        PreparedStatement first = catalog.statement(definition("select 1"), PlanContext.DEFAULT);
        assertThat(catalog.statement(definition("select 1"), PlanContext.DEFAULT))
                .isSameAs(first);
        assertThat(catalog.statement(definition("select 2"), PlanContext.DEFAULT))
                .isNotSameAs(first);
        assertThat(new StatementCatalog().statement(definition("select 1"), PlanContext.DEFAULT))
                .as("another pool has its own")
                .isNotSameAs(first);
    }

    @Test
    void shouldNotShowTheText() {
        assertThat(named(definition("select 'secret'")).toString()).doesNotContain("secret");
    }
}
