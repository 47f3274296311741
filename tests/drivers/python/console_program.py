"""What drivers with their defaults get from the console."""

import asyncio
import decimal
import os

import asyncpg
import psycopg

USER = os.environ["PGUSER"]


def expect(actual, expected):
    if actual != expected:
        raise SystemExit(f"expected {expected!r}, got {actual!r}")


def with_psycopg():
    with psycopg.connect(dbname="pgbouncer") as connection:
        # In a transaction, which is the default, and once in binary.
        expect(connection.execute("SHOW LISTS").fetchone(), ("databases", 1))
        expect(connection.execute("SHOW LISTS", prepare=True, binary=True).fetchone(), ("databases", 1))
        totals = dict(connection.execute("SHOW TOTALS", binary=True).fetchall())
        expect(type(totals["total_query_count"]), decimal.Decimal)
        try:
            connection.execute("SHOW NOTHING")
            raise SystemExit("no error")
        except psycopg.errors.SyntaxError:
            connection.rollback()
        expect(connection.execute("SHOW STATE").fetchall()[1], ("paused", "no"))
    with psycopg.connect(autocommit=True) as worker:
        before = queries(USER)
        for _ in range(100):
            worker.execute("select 1", prepare=False)  # to prepare it counts as a query of its own
        expect(queries(USER) - before, 100)
        with psycopg.connect(dbname="pgporter", autocommit=True) as console:
            console.execute(f"PAUSE {USER}")
            expect(console.execute("SHOW SERVERS").fetchall(), [])
            console.execute(f"RESUME {USER}")
        expect(worker.execute("select 2").fetchone(), (2,))


def queries(database):
    with psycopg.connect(dbname="pgbouncer", autocommit=True) as console:
        rows = console.execute("SHOW STATS_TOTALS", binary=True)
        column = [it.name for it in rows.description].index("query_count")
        return next((int(row[column]) for row in rows if row[0] == database), 0)


async def with_asyncpg():
    async with asyncpg.create_pool(database="pgdoorman", min_size=1, max_size=2) as pool:
        for _ in range(5):
            async with pool.acquire() as connection:
                async with connection.transaction():
                    expect(await connection.fetchval("select 1"), 1)
                pools = await connection.fetch("SHOW POOLS")
                expect([row["pool_mode"] for row in pools if row["database"] == USER], ["transaction"])


with_psycopg()
asyncio.run(with_asyncpg())
print("console: all answers as they should be")
