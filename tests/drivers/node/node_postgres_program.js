// What applications do with node-postgres, on more connections than the pool has backends.
//
// Finds the server by libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE). Every answer carries the token
// of its question. Exits with 0 and one line of summary, or with 1 and what went wrong.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import copyStreams from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';

const CONNECTIONS = 12;
const ROUNDS = 30;
const ZONES = ['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Chatham', 'Africa/Nairobi'];
const INSERT = 'insert into things (worker, token) values ($1, $2)';

/** One connection of the pool and what is done with it, one thing after the other. */
class Worker {
  answers = 0;
  backends = new Set();

  constructor(number, client, pool) {
    this.number = number;
    this.client = client;
    this.pool = pool;
  }

  token() {
    return `${this.number}/${++this.answers}`;
  }

  async asks(on = this.client) {
    const token = this.token();
    const { rows } = await on.query('select $1::text as token, pg_backend_pid() as backend', [token]);
    assert.equal(rows[0].token, token);
    this.backends.add(rows[0].backend);
  }

  fails(state, ...query) {
    return assert.rejects(this.client.query(...query), { code: state });
  }

  async value(...query) {
    const { rows } = await this.client.query(...query);
    return Object.values(rows[0])[0];
  }

  async count(...tokens) {
    return Number(await this.value('select count(*) from things where token = any($1)', [tokens]));
  }

  zone() {
    return ZONES[this.number % ZONES.length];
  }

  async setUp() {
    await this.client.query(`set application_name = 'worker ${this.number}'; set timezone = '${this.zone()}'`);
    await this.client.query(`set work_mem = '${this.number + 64}kB'`);
  }

  async session() {
    assert.equal(await this.value('show application_name'), `worker ${this.number}`);
    assert.equal(await this.value('show work_mem'), `${this.number + 64}kB`);
    assert.equal(await this.value('select current_setting($1)', ['timezone']), this.zone());
  }

  async prepared() {
    // Every connection has a statement of this name, and each its own text.
    const sum = { name: 'sum', text: `select $1::int + ${this.number} as sum, $2::text as token` };
    for (let i = 0; i < 8; i++) {
      const token = this.token();
      const { rows } = await this.client.query({ ...sum, values: [i, token] });
      assert.deepEqual(rows, [{ sum: i + this.number, token }]);
    }
    for (let i = 0; i < 30; i++) {
      const token = this.token();
      const { rows } = await this.client.query({
        name: `numbered ${i}`,
        text: `select $1::text as token, ${i} as i`,
        values: [token],
      });
      assert.deepEqual(rows, [{ token, i }]);
    }
  }

  async rollback() {
    const token = this.token();
    await this.client.query('begin isolation level repeatable read');
    await this.client.query(INSERT, [this.number, token]);
    assert.equal(await this.count(token), 1);
    await this.client.query('rollback');
    assert.equal(await this.count(token), 0);
    assert.equal(await this.value('show transaction_isolation'), 'read committed');
  }

  async savepoints() {
    const [kept, lost] = [this.token(), this.token()];
    await this.client.query('begin');
    await this.client.query(INSERT, [this.number, kept]);
    await this.client.query('savepoint here');
    await this.client.query(INSERT, [this.number, lost]);
    await this.fails('23505', INSERT, [this.number, kept]);
    await this.fails('25P02', 'select 1');
    await this.client.query('rollback to savepoint here');
    await this.asks();
    await this.client.query('commit');
    assert.equal(await this.count(kept, lost), 1);
  }

  async errors() {
    const token = this.token();
    await this.client.query(INSERT, [this.number, token]);
    await this.fails('23505', INSERT, [this.number, token]);
    await this.asks();
    await this.fails('23505', { name: 'insert', text: INSERT, values: [this.number, token] });
    await this.asks();
    await this.fails('42601', 'selekt 1');
    await this.asks();
    await this.fails('42601', { name: 'broken', text: 'selekt $1', values: [1] });
    await this.fails('42601', { name: 'broken', text: 'selekt $1', values: [1] });
    await this.fails('22012', 'select 1 / $1::int', [0]);
    await this.fails('22P02', 'select $1::int', ['not a number']);
    await this.asks();
  }

  /** Queries of which the application awaits none before it asks the next: the driver queues them. */
  async atOnce() {
    const asked = Array.from({ length: 30 }, (_, i) => {
      if (i === 15) {
        return this.fails('22012', 'select 1 / $1::int', [0]);
      }
      const token = this.token();
      return this.client.query('select $1::text as token', [token]).then(({ rows }) => assert.equal(rows[0].token, token));
    });
    await Promise.all(asked);
  }

  async manyStatements() {
    const token = this.token();
    const results = await this.client.query(
      `insert into things (worker, token) values (${this.number}, '${token}'); select '${token}' as token; select 1 as one`,
    );
    assert.deepEqual(results.map((it) => it.rows), [[], [{ token }], [{ one: 1 }]]);
    const lost = this.token();
    await this.fails('22012', `insert into things (worker, token) values (1, '${lost}'); select 1 / 0`);
    assert.equal(await this.count(token, lost), 1);
  }

  async copies() {
    const tokens = Array.from({ length: 500 }, () => this.token());
    const lines = () => tokens.map((it) => `${this.number}\t${it}\t\\N\n`);
    const into = 'copy things (worker, token, note) from stdin';
    await pipeline(Readable.from(lines()), this.client.query(copyStreams.from(into)));
    assert.equal(await this.count(...tokens), 500);
    await assert.rejects(pipeline(Readable.from(lines()), this.client.query(copyStreams.from(into))), { code: '23505' });
    await this.asks();

    let copied = '';
    const out = `copy (select n, ${this.number} from generate_series(1, 3000) n) to stdout`;
    for await (const chunk of this.client.query(copyStreams.to(out))) {
      copied += chunk;
    }
    assert.equal(copied, Array.from({ length: 3000 }, (_, i) => `${i + 1}\t${this.number}\n`).join(''));

    async function* changesItsMind() {
      yield '1\tunfinished\t\\N\n';
      throw new Error('the application changes its mind');
    }
    await assert.rejects(pipeline(Readable.from(changesItsMind()), this.client.query(copyStreams.from(into))), {
      message: 'the application changes its mind',
    });
    assert.equal(await this.count('unfinished'), 0);
  }

  async cursors() {
    await this.client.query('begin');
    const token = this.token();
    const cursor = this.client.query(new Cursor('select n, $1::text as token from generate_series(1, 100) n', [token]));
    for (let n = 1; n <= 98; n += 7) {
      const rows = await cursor.read(7);
      assert.deepEqual(rows, Array.from({ length: 7 }, (_, i) => ({ n: n + i, token })));
    }
    await cursor.close();
    await this.client.query('commit');

    // Outside a transaction a portal lives as long as its query: up to the Sync.
    let next = 1;
    const stream = new QueryStream('select n, $1::text as token from generate_series(1, 500) n', [token], { batchSize: 20 });
    for await (const row of this.client.query(stream)) {
      assert.deepEqual(row, { n: next++, token });
    }
    assert.equal(next, 501);
    for await (const row of this.client.query(new QueryStream('select n from generate_series(1, 500) n'))) {
      if (row.n === 200) {
        break;
      }
    }
    await this.asks();
  }

  async types() {
    const values = [
      [1, null, this.number],
      ['a', 'with "quotes"', null, this.token()],
      { worker: this.number, nested: [1, null, { deep: '\u00fcber' }] },
      new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
      '12345678901234567890.0987654321',
      '00000000-0000-0000-0000-00000000000f',
      Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
      null,
      true,
      0.5,
    ];
    const { rows } = await this.client.query({
      text: `select $1::int[] as a, $2::text[] as b, $3::jsonb as c, $4::timestamptz as d, $5::numeric as e, $6::uuid as f,
        $7::bytea as g, $8::text as h, $9::bool as i, $10::float8 as j`,
      values,
      rowMode: 'array',
    });
    assert.deepEqual(rows[0], values);
    const binary = await this.client.query({
      text: 'select $1::int as n, $2::text as token, $3::bool as yes',
      values: [this.number, 'binary', true],
      binary: true,
    });
    assert.deepEqual(binary.rows, [{ n: this.number, token: 'binary', yes: true }]);
  }

  async large() {
    const text = this.token() + '\u00e9'.repeat(700_000);
    assert.ok((await this.value('select $1::text', [text])) === text);
    const data = Buffer.alloc(3_000_000, this.number);
    assert.ok(data.equals(await this.value('select $1::bytea', [data])));
  }

  async timesOut() {
    await this.client.query('begin');
    await this.client.query("set local statement_timeout = '20ms'");
    await this.fails('57014', 'select pg_sleep(60)');
    await this.client.query('rollback');
    assert.equal(await this.value('show statement_timeout'), '0');
  }

  async listens() {
    if (this.number > 1) {
      return; // More that keep their backends would leave none to the others.
    }
    const channel = `channel_${this.number}`;
    await this.client.query(`listen ${channel}`);
    for (let i = 0; i < 3; i++) {
      const token = this.token();
      const [[heard]] = await Promise.all([
        once(this.client, 'notification', { signal: AbortSignal.timeout(30_000) }),
        this.pool.query('select pg_notify($1, $2)', [channel, token]),
      ]);
      assert.deepEqual([heard.channel, heard.payload], [channel, token]);
      await this.asks();
    }
    await this.client.query('unlisten *');
    await this.asks();
  }

  /** A temporary table binds the session to its backend while it lasts. */
  async keeps() {
    if (this.number > 1) {
      return;
    }
    await this.client.query(`create temporary table mine as select ${this.number} as number`);
    for (let i = 0; i < 8; i++) {
      assert.equal(await this.value({ name: 'mine', text: 'select number from mine' }), this.number);
    }
    await this.client.query('drop table mine');
  }

  /** As most applications do it: each query on whatever connection is free. */
  async anywhere() {
    await Promise.all(Array.from({ length: 20 }, () => this.asks(this.pool)));
  }

  async works() {
    await this.setUp();
    const steps = [
      this.session, this.prepared, this.rollback, this.savepoints, this.errors, this.atOnce, this.manyStatements, this.copies,
      this.cursors, this.types, this.large, this.timesOut, this.anywhere, this.listens,
      this.keeps,
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
  const lent = new pg.Pool({ max: CONNECTIONS });
  const pool = new pg.Pool();
  await pool.query(
    'drop table if exists things; create table things (worker int not null, token text unique, note text)',
  );
  const workers = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, number) => {
      const client = await lent.connect();
      const worker = new Worker(number, client, pool);
      await worker.works();
      client.release();
      return worker;
    }),
  );
  await Promise.all([lent.end(), pool.end()]);
  const backends = new Set(workers.flatMap((it) => [...it.backends]));
  const shared = workers.filter((it) => it.backends.size > 1).length;
  const answers = workers.reduce((sum, it) => sum + it.answers, 0);
  const { version } = createRequire(import.meta.url)('pg/package.json');
  console.log(
    `node-postgres ${version}: ${workers.length} connections, ${shared} of them on several of ${backends.size} backends,` +
      ` ${answers} answers, none mixed up`,
  );
}

main().catch((e) => {
  console.log(e);
  process.exit(1);
});
