"""What applications do with psycopg 3, on more connections than the pool has backends.

Finds the server by libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE). Every answer carries the token of
its question. Exits with 0 and one line of summary, or with 1 and what went wrong.
"""

import datetime
import decimal
import sys
import threading
import traceback
import uuid
import zoneinfo

import psycopg
import psycopg_pool
from psycopg import sql
from psycopg.types.json import Jsonb

CONNECTIONS = 12
ROUNDS = 28
# One more than the driver keeps prepared, so that it deallocates.
STATEMENTS = 130
# psycopg prepares a statement when it is executed for the sixth time.
CROSSES_THRESHOLD = 8
ZONES = ["Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Africa/Nairobi"]


class Worker:
    """One connection and what is done with it, by one thread."""

    def __init__(self, number, connection):
        self.number = number
        self.connection = connection
        self.answers = 0
        self.backends = set()

    def token(self):
        self.answers += 1
        return f"{self.number}/{self.answers}"

    def asks(self, cursor=None, **options):
        token = self.token()
        execute = (cursor or self.connection).execute
        row = execute("select %s::text, pg_backend_pid()", [token], **options).fetchone()
        expect(row[0], token)
        self.backends.add(row[1])

    def fails(self, state, statement, parameters=None):
        try:
            self.connection.execute(statement, parameters)
        except psycopg.Error as error:
            expect(error.sqlstate, state)
        else:
            raise AssertionError(f"{statement} should have failed with {state}")

    def set_up(self):
        # An odd one commits every statement by itself, an even one has the driver's default: transactions.
        self.connection.autocommit = self.number % 2 == 1
        self.connection.execute(f"set application_name = 'worker {self.number}'")
        self.connection.execute(f"set timezone = '{self.zone()}'")
        self.connection.execute("select set_config('work_mem', %s, false)", [f"{self.number + 64}kB"])
        self.connection.commit()

    def zone(self):
        return ZONES[self.number % len(ZONES)]

    def session(self):
        expect(self.connection.execute("show application_name").fetchone()[0], f"worker {self.number}")
        expect(self.connection.execute("show timezone").fetchone()[0], self.zone())
        expect(self.connection.execute("show work_mem").fetchone()[0], f"{self.number + 64}kB")
        moment = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
        read = self.connection.execute("select %s::timestamptz", [moment]).fetchone()[0]
        expect(read, moment)
        expect(read.tzinfo, zoneinfo.ZoneInfo(self.zone()))
        self.connection.commit()

    def prepared(self):
        for _ in range(CROSSES_THRESHOLD):
            self.asks()
            self.connection.commit()
        # The same text with other types is another statement.
        for value in (self.number, decimal.Decimal("1.5")) * CROSSES_THRESHOLD:
            expect(self.connection.execute("select %s + 1", [value]).fetchone()[0], value + 1)
            self.connection.commit()

    def rollback(self):
        """After a rollback psycopg forgets what it has prepared, and says so to the server."""
        with self.connection.transaction(force_rollback=True):
            for _ in range(CROSSES_THRESHOLD):
                token = self.token()
                self.connection.execute("insert into things (worker, token) values (%s, %s)", [self.number, token])
            expect(self.count("where token = %s", [token]), 1)
        expect(self.count("where token = %s", [token]), 0)
        self.connection.commit()
        self.asks()
        self.connection.rollback()
        self.asks()
        self.connection.commit()

    def count(self, where, parameters):
        return self.connection.execute("select count(*) from things " + where, parameters).fetchone()[0]

    def savepoints(self):
        kept, lost = self.token(), self.token()
        with self.connection.transaction():
            self.connection.execute("insert into things (worker, token) values (%s, %s)", [self.number, kept])
            try:
                with self.connection.transaction():
                    self.connection.execute("insert into things (worker, token) values (%s, %s)", [self.number, lost])
                    self.connection.execute("insert into things (worker, token) values (%s, %s)", [self.number, kept])
            except psycopg.errors.UniqueViolation:
                pass
            else:
                raise AssertionError("the token should have been there already")
            self.asks()
        expect(self.count("where token = any(%s)", [[kept, lost]]), 1)
        self.connection.commit()

    def errors(self):
        token = self.token()
        insert = "insert into things (worker, token) values (%s, %s)"
        self.connection.execute(insert, [self.number, token])
        self.connection.commit()
        for state, statement, parameters in (
            ("23505", insert, [self.number, token]),
            ("42601", "selekt 1", None),
            ("22012", "select 1 / %s", [0]),
            ("42P01", "select * from nowhere where x = %s", [1]),
        ):
            self.fails(state, statement, parameters)
            if not self.connection.autocommit:
                self.fails("25P02", "select 1")
            self.connection.rollback()
            self.asks()
            self.connection.commit()

    def pipeline(self):
        with self.connection.pipeline():
            asked = []
            for _ in range(25):
                token = self.token()
                asked.append((token, self.connection.execute("select %s::text, repeat('x', 2000)", [token])))
            for token, cursor in asked:
                expect(cursor.fetchone(), (token, "x" * 2000))
        self.connection.commit()
        # An error in the middle: what follows up to the next synchronization is not done.
        token = self.token()
        try:
            with self.connection.pipeline():
                self.connection.execute("insert into things (worker, token) values (%s, %s)", [self.number, token])
                self.connection.execute("select 1 / %s", [0])
                self.connection.execute("insert into things (worker, token) values (%s, %s)", [self.number, "never"])
        except psycopg.errors.DivisionByZero:
            pass
        else:
            raise AssertionError("the division should have failed")
        self.connection.rollback()
        expect(self.count("where token in (%s, 'never')", [token]), 0)
        self.connection.commit()
        with self.connection.pipeline(), self.connection.transaction():
            self.asks()
            self.asks()

    def many_rows(self):
        with self.connection.cursor() as cursor:
            rows = [(self.number, self.token()) for _ in range(200)]
            cursor.executemany("insert into things (worker, token) values (%s, %s) returning token", rows, returning=True)
            returned = []
            while True:
                returned.append(cursor.fetchone()[0])
                if not cursor.nextset():
                    break
            expect(returned, [token for _, token in rows])
        self.connection.commit()

    def copies(self):
        for options in ("", " (format binary)"):
            rows = [(self.number, self.token(), None if i % 3 else "line\nof\ttext\\") for i in range(500)]
            with self.connection.cursor() as cursor:
                with cursor.copy("copy things (worker, token, note) from stdin" + options) as copy:
                    if options:
                        copy.set_types(["int4", "text", "text"])
                    for row in rows:
                        copy.write_row(row)
                self.connection.commit()
                query = sql.SQL("copy (select worker, token, note from things where token = any({})) to stdout" + options)
                with cursor.copy(query.format([token for _, token, _ in rows])) as copy:
                    copy.set_types(["int4", "text", "text"])
                    expect(sorted(copy.rows(), key=str), sorted(rows, key=str))
            self.connection.commit()
        try:
            with self.connection.cursor().copy("copy things (worker, token) from stdin") as copy:
                copy.write_row((self.number, "unfinished"))
                raise KeyError("the application changes its mind")
        except KeyError:
            self.connection.rollback()
        self.fails("22P02", "select %s::int", ["not a number"])
        self.connection.rollback()
        expect(self.count("where token = %s", ["unfinished"]), 0)
        self.connection.commit()

    def cursors(self):
        with self.connection.transaction():
            with self.connection.cursor(name=f"walk_{self.number}") as cursor:
                cursor.itersize = 7
                token = self.token()
                cursor.execute("select n, %s::text from generate_series(1, 100) n", [token])
                expect([row for row in cursor], [(n, token) for n in range(1, 101)])
            with self.connection.cursor(name="same_name_everywhere", scrollable=True) as cursor:
                cursor.execute("select n, %s from generate_series(1, 50) n", [self.number])
                expect(cursor.fetchmany(10)[-1], (10, self.number))
                cursor.scroll(30)
                expect(cursor.fetchone(), (41, self.number))
                cursor.scroll(-41)
                expect(cursor.fetchone(), (1, self.number))

    def types(self):
        values = (
            [1, None, self.number],
            ["a", 'with "quotes"', None, self.token()],
            Jsonb({"worker": self.number, "nested": [1, None, {"deep": "\u00fcber"}]}),
            datetime.datetime(2026, 1, 2, 3, 4, 5, 678901),
            datetime.date(2026, 2, 28),
            datetime.timedelta(days=3, microseconds=17),
            decimal.Decimal("12345678901234567890.0987654321"),
            uuid.UUID(int=self.number),
            bytes(range(256)),
            float("-inf"),
            2**62,
            True,
            None,
        )
        marks = (
            "%b::int4[], %b::text[], %b::jsonb, %b::timestamp, %b::date, %b::interval, %b::numeric, %b::uuid, %b::bytea,"
            " %b::float8, %b::int8, %b::bool, %b::text"
        )
        for binary in (True, False):
            with self.connection.cursor(binary=binary) as cursor:
                question = "select " + (marks if binary else marks.replace("%b", "%s"))
                row = cursor.execute(question, values).fetchone()
                expect(row, tuple(it.obj if isinstance(it, Jsonb) else it for it in values))
        self.connection.commit()

    def large(self):
        text = self.token() + "\u00e9" * 700_000
        expect(self.connection.execute("select %s::text", [text]).fetchone()[0], text)
        data = bytes([self.number]) * 3_000_000
        expect(self.connection.execute("select %b::bytea", [data], binary=True).fetchone()[0], data)
        self.connection.commit()

    def deallocates(self):
        for i in range(STATEMENTS):
            token = self.token()
            row = self.connection.execute(f"select %s::text, {i}", [token], prepare=True).fetchone()
            expect(row, (token, i))
        # The first ones have been deallocated meanwhile.
        for i in range(3):
            expect(self.connection.execute(f"select %s::text, {i}", ["again"], prepare=True).fetchone(), ("again", i))
        self.connection.commit()
        # After DDL psycopg sends DEALLOCATE ALL.
        self.connection.execute(f"create table short_lived_{self.number} (n int)")
        self.connection.execute(f"drop table short_lived_{self.number}")
        self.connection.commit()
        self.prepared()

    def may_wait(self):
        """Two may hold a backend until another connection has done something: more would wait for each other."""
        return self.number < 2

    def listens(self):
        if not self.may_wait():
            return
        channel = f"channel_{self.number}"
        self.connection.execute(f"listen {channel}")
        self.connection.commit()
        with psycopg.connect(autocommit=True) as other:
            for _ in range(3):
                token = self.token()
                other.execute("select pg_notify(%s, %s)", [channel, token])
                heard = [(it.channel, it.payload) for it in self.connection.notifies(timeout=30, stop_after=1)]
                expect(heard, [(channel, token)])
                self.connection.commit()
        self.connection.execute("unlisten *")
        self.connection.commit()

    def keeps(self):
        """What binds a session to its backend while it lasts: a cursor that outlives its transaction, a temporary table."""
        if not self.may_wait():
            return
        with self.connection.cursor(name="held", withhold=True) as cursor:
            cursor.execute("select n, %s from generate_series(1, 50) n", [self.number])
            self.connection.commit()
            expect(cursor.fetchmany(10)[-1], (10, self.number))
            self.asks()
            self.connection.commit()
            expect(cursor.fetchall()[-1], (50, self.number))
        self.connection.execute("create temporary table mine as select %s::int as number", [self.number])
        self.connection.commit()
        for _ in range(CROSSES_THRESHOLD):
            expect(self.connection.execute("select number from mine").fetchone()[0], self.number)
            self.connection.commit()
        self.connection.execute("drop table mine")
        self.connection.commit()

    def cancels(self):
        if not self.may_wait():
            return
        canceller = threading.Thread(target=self.cancels_when_asleep)
        canceller.start()
        self.fails("57014", "select pg_sleep(60), %s", ["cancelled"])
        canceller.join()
        self.connection.rollback()
        self.asks()
        self.connection.commit()

    def cancels_when_asleep(self):
        asleep = "select 1 from pg_stat_activity where application_name = %s and wait_event = 'PgSleep'"
        with psycopg.connect(autocommit=True) as observer:
            while observer.execute(asleep, [f"worker {self.number}"]).fetchone() is None:
                pass
        self.connection.cancel_safe()

    STEPS = [
        session, prepared, rollback, savepoints, errors, pipeline, many_rows, copies, cursors, types, large, cancels, listens,
        keeps,
    ]

    def works(self):
        self.set_up()
        if self.number % 4 == 0:
            self.deallocates()
        for turn in range(ROUNDS):
            self.STEPS[(turn + self.number) % len(self.STEPS)](self)
        self.session()


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {str(expected)[:300]}, got {str(actual)[:300]}")


def main():
    failures = []
    workers = []

    def run(number):
        try:
            with pool.connection() as connection:
                worker = Worker(number, connection)
                worker.works()
                workers.append(worker)
        except BaseException:
            failures.append(f"connection {number}: {traceback.format_exc()}")

    with psycopg.connect(autocommit=True) as connection:
        connection.execute("drop table if exists things")
        connection.execute("create table things (worker int not null, token text unique, note text)")
    with psycopg_pool.ConnectionPool(min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        pool.wait()
        threads = [threading.Thread(target=run, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        print("\n".join(failures))
        return 1
    backends = set().union(*(worker.backends for worker in workers))
    shared = sum(len(worker.backends) > 1 for worker in workers)
    answers = sum(worker.answers for worker in workers)
    print(
        f"psycopg {psycopg.__version__}: {len(workers)} connections, {shared} of them on several of {len(backends)} backends,"
        f" {answers} answers, none mixed up"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
