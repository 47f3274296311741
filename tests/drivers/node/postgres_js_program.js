// What applications do with postgres.js, on more connections than the pool has backends. This driver sends queries on
// one connection without waiting for answers, and prepares every statement under a name.
//
// Finds the server by libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE). Every answer carries the token
// of its question. Exits with 0 and one line of summary, or with 1 and what went wrong.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import postgres from 'postgres';

const CONNECTIONS = 12;
const ROUNDS = 28;
const ZONES = ['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Chatham', 'Africa/Nairobi'];

/** One reserved connection of the driver's pool and what is done with it. `sql` is that connection, `pool` is any. */
class Worker {
  answers = 0;
  backends = new Set();

  constructor(number, sql, pool) {
    this.number = number;
    this.sql = sql;
    this.pool = pool;
  }

  token() {
    return `${this.number}/${++this.answers}`;
  }

  async asks(on = this.sql) {
    const token = this.token();
    const [row] = await on`select ${token}::text as token, pg_backend_pid() as backend`;
    assert.equal(row.token, token);
    this.backends.add(row.backend);
  }

  insert(token, on = this.sql) {
    return on`insert into things ${on({ worker: this.number, token })}`;
  }

  async count(...tokens) {
    const [{ count }] = await this.pool`select count(*)::int from things where token = any(${tokens})`;
    return count;
  }

  zone() {
    return ZONES[this.number % ZONES.length];
  }

  async setUp() {
    await this.sql.unsafe(`set application_name = 'worker ${this.number}'; set timezone = '${this.zone()}'`);
    await this.sql`select set_config('work_mem', ${`${this.number + 64}kB`}, false)`;
  }

  async session() {
    const [row] = await this.sql`select current_setting('application_name') as name, current_setting('timezone') as zone,
      current_setting('work_mem') as memory`;
    assert.deepEqual({ ...row }, { name: `worker ${this.number}`, zone: this.zone(), memory: `${this.number + 64}kB` });
  }

  async prepared() {
    for (let i = 0; i < 8; i++) {
      await this.asks();
      // A text of this connection alone, and one that others have too.
      const token = this.token();
      const [row] = await this.sql.unsafe(`select $1::int + ${this.number} as sum, $2::text as token`, [i, token], { prepare: true });
      assert.deepEqual({ ...row }, { sum: i + this.number, token });
    }
    for (let i = 0; i < 60; i++) {
      const token = this.token();
      const [row] = await this.sql.unsafe(`select $1::text as token, ${i} as i`, [token], { prepare: true });
      assert.deepEqual({ ...row }, { token, i });
    }
  }

  async pipelines() {
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        if (i % 20 === 10) {
          await assert.rejects(this.sql`select 1 / ${0}::int`, { code: '22012' });
        } else {
          await this.asks(i % 2 === 0 ? this.sql : this.pool);
        }
      }),
    );
  }

  async rollback() {
    const token = this.token();
    const error = new Error('the application changes its mind');
    await assert.rejects(
      this.pool.begin('isolation level repeatable read', async (sql) => {
        await this.insert(token, sql);
        const [{ count }] = await sql`select count(*)::int from things where token = ${token}`;
        assert.equal(count, 1);
        await this.asks(sql);
        throw error;
      }),
      error,
    );
    assert.equal(await this.count(token), 0);
  }

  async savepoints() {
    const [kept, lost] = [this.token(), this.token()];
    await this.pool.begin(async (sql) => {
      await this.insert(kept, sql);
      await assert.rejects(
        sql.savepoint('inner', async (inner) => {
          await this.insert(lost, inner);
          await this.insert(kept, inner);
        }),
        { code: '23505' },
      );
      await this.asks(sql);
    });
    assert.equal(await this.count(kept, lost), 1);
    // A transaction whose statements are sent at once.
    const tokens = Array.from({ length: 20 }, () => this.token());
    await this.pool.begin((sql) => tokens.map((it) => this.insert(it, sql)));
    assert.equal(await this.count(...tokens), 20);
  }

  async errors() {
    const token = this.token();
    await this.insert(token);
    for (let i = 0; i < 3; i++) {
      await assert.rejects(this.insert(token), { code: '23505' });
      await this.asks();
      await assert.rejects(this.sql`selekt ${1}`, { code: '42601' });
      await assert.rejects(this.sql`select ${'not a number'}::int`, { code: '22P02' });
      await this.asks();
      await assert.rejects(this.sql`select 1; selekt 2`.simple(), { code: '42601' });
      await this.asks();
    }
  }

  async manyRows() {
    const rows = Array.from({ length: 300 }, () => ({ worker: this.number, token: this.token(), note: null }));
    const returned = await this.sql`insert into things ${this.sql(rows)} returning token`;
    assert.deepEqual(returned.map((it) => it.token), rows.map((it) => it.token));
    const results = await this.sql`select 1 as one; select ${this.sql.unsafe(this.number)} as number`.simple();
    assert.deepEqual(results.map((it) => ({ ...it[0] })), [{ one: 1 }, { number: this.number }]);
  }

  async copies() {
    const tokens = Array.from({ length: 500 }, () => this.token());
    const lines = () => Readable.from(tokens.map((it) => `${this.number}\t${it}\t\\N\n`));
    const into = () => this.sql`copy things (worker, token, note) from stdin`.writable();
    await pipeline(lines(), await into());
    assert.equal(await this.count(...tokens), 500);
    // Not more than a stream buffers (16 KiB): the driver can stop reading for ever when its reader was slow at the end.
    const out = await this.sql`copy (select n, ${this.sql.unsafe(this.number)} from generate_series(1, 1000) n) to stdout`.readable();
    assert.equal(await text(out), Array.from({ length: 1000 }, (_, i) => `${i + 1}\t${this.number}\n`).join(''));
    await this.asks();
  }

  async cursors() {
    const token = this.token();
    let next = 1;
    await this.sql`select n, ${token}::text as token from generate_series(1, 100) n`.cursor(7, (rows) => {
      for (const row of rows) {
        assert.deepEqual({ ...row }, { n: next++, token });
      }
    });
    assert.equal(next, 101);
    await this.pool.begin(async (sql) => {
      let seen = 0;
      for await (const rows of sql`select n, ${token}::text as token from generate_series(1, 100) n`.cursor(10)) {
        assert.equal(rows[0].token, token);
        seen += rows.length;
        if (seen >= 50) {
          break;
        }
      }
      assert.equal(seen, 50);
      await this.asks(sql);
    });
    let rows = 0;
    await this.sql`select n from generate_series(1, 1000) n`.forEach((row) => assert.equal(row.n, ++rows));
    assert.equal(rows, 1000);
  }

  async types() {
    const values = {
      numbers: [1, 2, this.number],
      words: ['a', 'with "quotes"', this.token()],
      document: { worker: this.number, nested: [1, null, { deep: '\u00fcber' }] },
      moment: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
      amount: '12345678901234567890.0987654321',
      data: Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
      nothing: null,
      yes: true,
    };
    const [row] = await this.sql`
      select ${values.numbers}::int[] as numbers, ${values.words}::text[] as words, ${this.sql.json(values.document)}::jsonb as document,
        ${values.moment}::timestamptz as moment, ${values.amount}::numeric as amount, ${values.data}::bytea as data,
        ${values.nothing}::text as nothing, ${values.yes}::bool as yes`;
    assert.deepEqual({ ...row }, values);
    assert.deepEqual((await this.sql`select 1 as "a", 'x' as "b"`.values())[0], [1, 'x']);
    const described = await this.sql`select ${1}::int as n, ${'x'}::text as t`.describe();
    assert.deepEqual(described.columns.map((it) => it.name), ['n', 't']);
  }

  async large() {
    const long = this.token() + '\u00e9'.repeat(700_000);
    const data = Buffer.alloc(3_000_000, this.number);
    const [row] = await this.sql`select ${long}::text as long, ${data}::bytea as data`;
    assert.ok(row.long === long && data.equals(row.data));
  }

  async largeObjects() {
    const content = Buffer.from(this.token().repeat(20_000));
    const [{ oid }] = await this.pool`select lo_creat(-1) as oid`;
    // A transaction that lasts until the object is closed.
    const object = await this.pool.largeObject(oid);
    await pipeline(Readable.from([content]), await object.writable());
    await object.seek(0);
    const parts = [];
    await pipeline(await object.readable(), new Writable({ write: (part, _, done) => (parts.push(part), done()) }));
    assert.ok(content.equals(Buffer.concat(parts)));
    await object.close();
    await this.pool`select lo_unlink(${oid})`;
  }

  /** The driver listens on a connection of its own, which it keeps. */
  async listens() {
    if (this.number > 0) {
      return;
    }
    const heard = [];
    let hears;
    const { unlisten } = await this.pool.listen('channel', (payload) => {
      heard.push(payload);
      hears();
    });
    for (let i = 0; i < 3; i++) {
      const token = this.token();
      await Promise.all([new Promise((resolve) => (hears = resolve)), this.pool.notify('channel', token)]);
      assert.equal(heard.at(-1), token);
    }
    assert.equal(heard.length, 3);
    await unlisten();
    await this.asks();
  }

  async cancels() {
    if (this.number > 1) {
      return; // Who watches a sleeper needs a backend as well: more would wait for each other.
    }
    const query = this.sql`select pg_sleep(60), ${this.token()}::text`;
    const ended = assert.rejects(query, { code: '57014' });
    let asleep = false;
    while (!asleep) {
      [{ asleep }] = await this.pool`
        select exists (select from pg_stat_activity where application_name = ${`worker ${this.number}`}
          and wait_event = 'PgSleep') as asleep`;
    }
    query.cancel();
    await ended;
    await this.asks();
  }

  async works() {
    await this.setUp();
    const steps = [
      this.session, this.prepared, this.pipelines, this.rollback, this.savepoints, this.errors, this.manyRows, this.copies,
      this.cursors, this.types, this.large, this.largeObjects, this.cancels,
      this.listens,
    ];
    for (let turn = 0; turn < ROUNDS; turn++) {
      const step = steps[(turn + this.number) % steps.length];
      try {
        await step.call(this);
      } catch (e) {
        throw new Error(`connection ${this.number}, ${step.name}`, { cause: e });
      }
    }
    await this.session();
  }
}

async function main() {
  const options = { onnotice: () => {} };
  const lent = postgres({ ...options, max: CONNECTIONS });
  const pool = postgres(options);
  await pool`drop table if exists things`;
  await pool`create table things (worker int not null, token text unique, note text)`;
  const workers = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, number) => {
      const sql = await lent.reserve();
      const worker = new Worker(number, sql, pool);
      await worker.works();
      sql.release();
      return worker;
    }),
  );
  await Promise.all([lent.end(), pool.end()]);
  const backends = new Set(workers.flatMap((it) => [...it.backends]));
  const shared = workers.filter((it) => it.backends.size > 1).length;
  const answers = workers.reduce((sum, it) => sum + it.answers, 0);
  const { version } = JSON.parse(readFileSync(new URL('node_modules/postgres/package.json', import.meta.url)));
  console.log(
    `postgres.js ${version}: ${workers.length} connections, ${shared} of them on several of ${backends.size} backends,` +
      ` ${answers} answers, none mixed up`,
  );
}

main().catch((e) => {
  console.log(e);
  process.exit(1);
});
