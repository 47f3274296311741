"""What applications do with asyncpg, on more connections than the pool has backends.

Finds the server by libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE). Every answer carries the token of
its question. Exits with 0 and one line of summary, or with 1 and what went wrong.
"""

import asyncio
import datetime
import decimal
import io
import json
import sys
import traceback
import uuid

import asyncpg

CONNECTIONS = 12
ROUNDS = 28
# More than the driver keeps prepared (100), so that it closes the oldest.
STATEMENTS = 130
ZONES = ["Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Africa/Nairobi"]


class Worker:
    """One connection of the pool and what is done with it, by one task."""

    def __init__(self, number, connection, pool):
        self.number = number
        self.connection = connection
        self.pool = pool
        self.answers = 0
        self.backends = set()

    def token(self):
        self.answers += 1
        return f"{self.number}/{self.answers}"

    async def asks(self):
        token = self.token()
        row = await self.connection.fetchrow("select $1::text, pg_backend_pid()", token)
        expect(row[0], token)
        self.backends.add(row[1])

    async def fails(self, kind, statement, *parameters):
        try:
            await self.connection.fetch(statement, *parameters)
        except kind:
            await self.goes_on()
        else:
            raise AssertionError(f"{statement} should have failed with {kind}")

    async def goes_on(self):
        if not self.connection.is_in_transaction():
            await self.asks()

    async def inserts(self, token):
        await self.connection.execute("insert into things (worker, token) values ($1, $2)", self.number, token)

    async def count(self, *tokens):
        return await self.connection.fetchval("select count(*) from things where token = any($1)", list(tokens))

    def zone(self):
        return ZONES[self.number % len(ZONES)]

    async def set_up(self):
        await self.connection.execute(f"set application_name = 'worker {self.number}'; set timezone = '{self.zone()}'")
        await self.connection.execute(f"set work_mem = '{self.number + 64}kB'")

    async def session(self):
        expect(await self.connection.fetchval("show application_name"), f"worker {self.number}")
        expect(await self.connection.fetchval("show work_mem"), f"{self.number + 64}kB")
        expect(self.connection.get_settings().TimeZone, self.zone())
        expect(await self.connection.fetchval("select current_setting($1)", "timezone"), self.zone())

    async def prepared(self):
        for _ in range(8):
            await self.asks()
        statement = await self.connection.prepare("select $1::int + $2::int, $3::text")
        for i in range(8):
            token = self.token()
            expect(tuple(await statement.fetchrow(i, self.number, token)), (i + self.number, token))
        expect([it.name for it in statement.get_attributes()], ["?column?", "text"])

    async def rollback(self):
        token = self.token()
        transaction = self.connection.transaction(isolation="repeatable_read")
        await transaction.start()
        await self.inserts(token)
        expect(await self.count(token), 1)
        expect(await self.connection.fetchval("show transaction_isolation"), "repeatable read")
        await transaction.rollback()
        expect(await self.count(token), 0)
        expect(await self.connection.fetchval("show transaction_isolation"), "read committed")

    async def savepoints(self):
        kept, lost = self.token(), self.token()
        async with self.connection.transaction():
            await self.inserts(kept)
            try:
                async with self.connection.transaction():
                    await self.inserts(lost)
                    await self.inserts(kept)
            except asyncpg.UniqueViolationError:
                pass
            else:
                raise AssertionError("the token should have been there already")
            await self.asks()
        expect(await self.count(kept, lost), 1)

    async def errors(self):
        token = self.token()
        await self.inserts(token)
        insert = "insert into things (worker, token) values ($1, $2)"
        await self.fails(asyncpg.UniqueViolationError, insert, self.number, token)
        await self.fails(asyncpg.PostgresSyntaxError, "selekt 1")
        await self.fails(asyncpg.DivisionByZeroError, "select 1 / $1::int", 0)
        await self.fails(asyncpg.UndefinedTableError, "select * from nowhere where x = $1", 1)
        await self.fails(asyncpg.DataError, "select $1::int", "not a number")
        try:
            async with self.connection.transaction():
                await self.connection.fetch("select 1 / $1::int", 0)
        except asyncpg.DivisionByZeroError:
            await self.asks()

    async def many_rows(self):
        rows = [(self.number, self.token()) for _ in range(300)]
        await self.connection.executemany("insert into things (worker, token) values ($1, $2)", rows)
        expect(await self.count(*(token for _, token in rows)), 300)
        # All or nothing: the last one is there already.
        more = [(self.number, self.token()) for _ in range(300)]
        try:
            await self.connection.executemany("insert into things (worker, token) values ($1, $2)", more + rows[:1])
        except asyncpg.UniqueViolationError:
            pass
        else:
            raise AssertionError("the token should have been there already")
        expect(await self.count(*(token for _, token in more)), 0)
        returned = await self.connection.fetchmany(
            "insert into things (worker, token) values ($1, $2) returning token", more
        )
        expect([row[0] for row in returned], [token for _, token in more])

    async def copies(self):
        rows = [(self.number, self.token(), None if i % 3 else "line\nof\ttext\\") for i in range(500)]
        columns = ["worker", "token", "note"]
        expect(await self.connection.copy_records_to_table("things", records=rows, columns=columns), "COPY 500")
        out = io.BytesIO()
        expect(
            await self.connection.copy_from_query(
                "select worker, token from things where token = any($1) and note is null order by id",
                [token for _, token, _ in rows],
                output=out,
            ),
            f"COPY {sum(row[2] is None for row in rows)}",
        )
        expect(out.getvalue().decode(), "".join(f"{row[0]}\t{row[1]}\n" for row in rows if row[2] is None))
        try:
            await self.connection.copy_records_to_table("things", records=rows[:1], columns=columns)
        except asyncpg.UniqueViolationError:
            await self.asks()
        else:
            raise AssertionError("the token should have been there already")

        async def breaks_off():
            yield b"1\tunfinished\t\n"
            raise KeyError("the application changes its mind")

        try:
            await self.connection.copy_to_table("things", source=breaks_off(), columns=columns)
        except KeyError:
            await self.asks()
        else:
            raise AssertionError("the application has changed its mind")
        expect(await self.count("unfinished"), 0)

    async def cursors(self):
        try:
            await self.reads_cursors()
        except asyncpg.InterfaceError as lost:
            # When one connection learns that a table has changed, asyncpg closes the statements of all its connections,
            # also one that another connection has just prepared for a cursor and not used yet.
            if "the prepared statement is closed" not in str(lost):
                raise
            await self.reads_cursors()

    async def reads_cursors(self):
        async with self.connection.transaction():
            token = self.token()
            numbers = []
            async for row in self.connection.cursor("select n, $1::text from generate_series(1, 100) n", token, prefetch=7):
                expect(row[1], token)
                numbers.append(row[0])
            expect(numbers, list(range(1, 101)))
            cursor = await self.connection.cursor("select n from generate_series(1, 100) n")
            await cursor.forward(10)
            expect([row[0] for row in await cursor.fetch(5)], [11, 12, 13, 14, 15])
            await self.asks()
            expect((await cursor.fetchrow())[0], 16)

    async def types(self):
        values = (
            [1, None, self.number],
            ["a", 'with "quotes"', None, self.token()],
            [[1, 2], [3, 4]],
            json.dumps({"worker": self.number}),
            datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone.utc),
            datetime.date(2026, 2, 28),
            datetime.timedelta(days=3, microseconds=17),
            decimal.Decimal("12345678901234567890.0987654321"),
            uuid.UUID(int=self.number),
            bytes(range(256)),
            float("-inf"),
            2**62,
            True,
            None,
            asyncpg.Range(1, 10),
        )
        row = await self.connection.fetchrow(
            "select $1::int[], $2::text[], $3::int[], $4::jsonb, $5::timestamptz, $6::date, $7::interval, $8::numeric,"
            " $9::uuid, $10::bytea, $11::float8, $12::int8, $13::bool, $14::text, $15::int4range",
            *values,
        )
        expect(tuple(row), values)
        # asyncpg looks types up that it does not know, with a query of its own in the middle.
        expect(await self.connection.fetchval("select $1::mood", "happy"), "happy")
        pair = await self.connection.fetchval("select $1::pair", (self.number, "second"))
        expect(tuple(pair), (self.number, "second"))

    async def large(self):
        text = self.token() + "\u00e9" * 700_000
        expect(await self.connection.fetchval("select $1::text", text), text)
        data = bytes([self.number]) * 3_000_000
        expect(await self.connection.fetchval("select $1::bytea", data), data)

    async def closes_statements(self):
        for i in range(STATEMENTS):
            token = self.token()
            expect(tuple(await self.connection.fetchrow(f"select $1::text, {i}", token)), (token, i))
        for i in range(3):
            expect(await self.connection.fetchval(f"select $1::text, {i}", "again"), "again")

    async def changes_a_table(self):
        """A plan that no longer fits is prepared anew by the driver."""
        table = f"changing_{self.number}"
        await self.connection.execute(f"drop table if exists {table}; create table {table} (a int)")
        await self.connection.execute(f"insert into {table} values ($1)", self.number)
        question = f"select * from {table}"
        for _ in range(8):
            expect(tuple(await self.connection.fetchrow(question)), (self.number,))
        await self.connection.execute(f"alter table {table} add b text default 'new'")
        for _ in range(8):
            expect(tuple(await self.connection.fetchrow(question)), (self.number, "new"))

    async def times_out(self):
        """The driver sends a cancel request when an answer takes too long."""
        for _ in range(3):
            try:
                await self.connection.fetch("select pg_sleep(60), $1::text", "cancelled", timeout=0.05)
            except asyncio.TimeoutError:
                await self.asks()
            else:
                raise AssertionError("it should have taken too long")

    async def listens(self):
        if self.number > 1:  # More that keep their backends would leave none to the others.
            return
        channel = f"channel_{self.number}"
        heard = asyncio.Queue()

        def hears(_connection, _process, channel, payload):
            heard.put_nowait((channel, payload))

        await self.connection.add_listener(channel, hears)
        for _ in range(3):
            token = self.token()
            await self.pool.execute("select pg_notify($1, $2)", channel, token)
            expect(await asyncio.wait_for(heard.get(), 30), (channel, token))
            await self.asks()
        await self.connection.remove_listener(channel, hears)
        await self.asks()

    async def keeps(self):
        if self.number > 1:
            return
        await self.connection.execute(f"create temporary table mine as select {self.number} as number")
        for _ in range(8):
            expect(await self.connection.fetchval("select number from mine"), self.number)
        await self.connection.execute("drop table mine")

    async def borrows(self):
        """A connection of the driver's pool is reset when it is given back: RESET ALL, UNLISTEN *, CLOSE ALL and more."""
        async with self.pool.acquire() as other:
            await other.execute(f"set work_mem = '{self.number + 64}kB'; set application_name = 'borrowed'")
            expect(await other.fetchval("show work_mem"), f"{self.number + 64}kB")
        async with self.pool.acquire() as other:
            expect(await other.fetchval("show work_mem"), "4MB")
            expect(await other.fetchval("show application_name"), "")
        await self.session()

    STEPS = [
        session, prepared, rollback, savepoints, errors, many_rows, copies, cursors, types, large, times_out, borrows,
        listens, keeps,
    ]

    async def works(self):
        await self.set_up()
        if self.number % 4 == 0:
            await self.closes_statements()
        if self.number % 4 == 1:
            await self.changes_a_table()
        for turn in range(ROUNDS):
            await self.STEPS[(turn + self.number) % len(self.STEPS)](self)
        await self.session()


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {str(expected)[:300]}, got {str(actual)[:300]}")


async def main():
    connection = await asyncpg.connect()
    await connection.execute(
        """
        drop table if exists things;
        drop type if exists mood, pair;
        create type mood as enum ('happy', 'sad');
        create type pair as (first int, second text);
        create table things (id serial, worker int not null, token text unique, note text)
        """
    )
    await connection.close()
    failures = []
    workers = []

    async def run(number, lent, pool):
        try:
            async with lent.acquire() as connection:
                worker = Worker(number, connection, pool)
                await worker.works()
                workers.append(worker)
        except BaseException:
            failures.append(f"connection {number}: {traceback.format_exc()}")

    async with (
        asyncpg.create_pool(min_size=CONNECTIONS, max_size=CONNECTIONS) as lent,
        asyncpg.create_pool(min_size=1, max_size=2) as pool,
    ):
        await asyncio.gather(*(run(number, lent, pool) for number in range(CONNECTIONS)))
    if failures:
        print("\n".join(failures))
        return 1
    backends = set().union(*(worker.backends for worker in workers))
    shared = sum(len(worker.backends) > 1 for worker in workers)
    answers = sum(worker.answers for worker in workers)
    print(
        f"asyncpg {asyncpg.__version__}: {len(workers)} connections, {shared} of them on several of {len(backends)} backends,"
        f" {answers} answers, none mixed up"
    )
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
