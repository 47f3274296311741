// What applications do with pgx v5, on more connections than the pool has backends.
//
// Finds the server by libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE). Every answer carries the token
// of its question. Exits with 0 and one line of summary, or with 1 and what went wrong.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	connections = 12
	rounds      = 32
	// More than the driver keeps prepared (512), so that it closes the oldest.
	statements = 530
	insert     = "insert into things (worker, token) values ($1, $2)"
)

var zones = []string{"Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Africa/Nairobi"}

// querier is what a connection and a transaction have in common.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// worker is one connection of the pool and what is done with it, by one goroutine.
type worker struct {
	number   int
	conn     *pgx.Conn
	pool     *pgxpool.Pool
	ctx      context.Context
	answers  int
	backends map[int]bool
}

// wrong is a panic that the worker's goroutine turns into its failure.
type wrong struct{ error }

func must(err error) {
	if err != nil {
		panic(wrong{fmt.Errorf("%w\n%s", err, debug.Stack())})
	}
}

func expect(actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		must(fmt.Errorf("expected %.300v, got %.300v", expected, actual))
	}
}

func (w *worker) expectState(err error, state string) {
	var fromServer *pgconn.PgError
	if !errors.As(err, &fromServer) || fromServer.Code != state {
		must(fmt.Errorf("expected an error %s, got %v", state, err))
	}
}

func (w *worker) token() string {
	w.answers++
	return fmt.Sprintf("%d/%d", w.number, w.answers)
}

func (w *worker) exec(sql string, args ...any) {
	_, err := w.conn.Exec(w.ctx, sql, args...)
	must(err)
}

func (w *worker) asks(on querier) {
	token, answer, backend := w.token(), "", 0
	must(on.QueryRow(w.ctx, "select $1::text, pg_backend_pid()", token).Scan(&answer, &backend))
	expect(answer, token)
	w.backends[backend] = true
}

func (w *worker) count(tokens ...string) (count int) {
	must(w.conn.QueryRow(w.ctx, "select count(*) from things where token = any($1)", tokens).Scan(&count))
	return count
}

func (w *worker) zone() string {
	return zones[w.number%len(zones)]
}

func (w *worker) name() string {
	return fmt.Sprintf("worker %d", w.number)
}

func (w *worker) setUp() {
	w.exec(fmt.Sprintf("set application_name = '%s'; set timezone = '%s'", w.name(), w.zone()))
	w.exec(fmt.Sprintf("set work_mem = '%dkB'", w.number+64))
}

func (w *worker) session() {
	var name, zone, memory string
	must(w.conn.QueryRow(w.ctx, "select current_setting($1), current_setting($2), current_setting('work_mem')", "application_name", "timezone").
		Scan(&name, &zone, &memory))
	expect(memory, fmt.Sprintf("%dkB", w.number+64))
	expect(name, w.name())
	expect(zone, w.zone())
	expect(w.conn.PgConn().ParameterStatus("TimeZone"), w.zone())
}

func (w *worker) prepared() {
	for range 4 {
		w.asks(w.conn)
	}
	_, err := w.conn.Prepare(w.ctx, "sum", "select $1::int + $2::int, $3::text")
	must(err)
	for i := range 8 {
		token, sum, answer := w.token(), 0, ""
		must(w.conn.QueryRow(w.ctx, "sum", i, w.number, token).Scan(&sum, &answer))
		expect(sum, i+w.number)
		expect(answer, token)
	}
	must(w.conn.Deallocate(w.ctx, "sum"))
	_, err = w.conn.Exec(w.ctx, "sum", 1, 2, "gone")
	w.expectState(err, "42601")
}

// ways asks in each of the driver's ways to say it, from statements prepared by name to the simple protocol.
func (w *worker) ways() {
	for _, way := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		for range 3 {
			token, answer := w.token(), ""
			must(w.conn.QueryRow(w.ctx, "select $1::text", way, token).Scan(&answer))
			expect(answer, token)
		}
	}
}

func (w *worker) rollback() {
	token := w.token()
	tx, err := w.conn.BeginTx(w.ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	must(err)
	_, err = tx.Exec(w.ctx, insert, w.number, token)
	must(err)
	w.asks(tx)
	expect(w.count(token), 1)
	must(tx.Rollback(w.ctx))
	expect(w.count(token), 0)
}

func (w *worker) savepoints() {
	kept, lost := w.token(), w.token()
	must(pgx.BeginFunc(w.ctx, w.conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(w.ctx, insert, w.number, kept)
		must(err)
		err = pgx.BeginFunc(w.ctx, tx, func(inner pgx.Tx) error {
			_, err := inner.Exec(w.ctx, insert, w.number, lost)
			must(err)
			_, err = inner.Exec(w.ctx, insert, w.number, kept)
			return err
		})
		w.expectState(err, "23505")
		w.asks(tx)
		return nil
	}))
	expect(w.count(kept, lost), 1)
}

func (w *worker) errors() {
	token := w.token()
	w.exec(insert, w.number, token)
	for _, failing := range []struct {
		state, sql string
		args       []any
	}{
		{"23505", insert, []any{w.number, token}},
		{"42601", "selekt 1", nil},
		{"22012", "select 1 / $1::int", []any{0}},
		{"42P01", "select * from nowhere where x = $1", []any{1}},
	} {
		_, err := w.conn.Exec(w.ctx, failing.sql, failing.args...)
		w.expectState(err, failing.state)
		w.asks(w.conn)
		tx, err := w.conn.Begin(w.ctx)
		must(err)
		_, err = tx.Exec(w.ctx, failing.sql, failing.args...)
		w.expectState(err, failing.state)
		_, err = tx.Exec(w.ctx, "select 1")
		w.expectState(err, "25P02")
		must(tx.Rollback(w.ctx))
		w.asks(w.conn)
	}
}

// batches sends many statements before it reads the first answer.
func (w *worker) batches() {
	batch := &pgx.Batch{}
	asked := 0
	for i := range 40 {
		token := w.token()
		batch.Queue(fmt.Sprintf("select $1::text, %d", i%10), token).QueryRow(func(row pgx.Row) error {
			var answer string
			var number int
			must(row.Scan(&answer, &number))
			expect(answer, token)
			expect(number, i%10)
			asked++
			return nil
		})
	}
	must(w.conn.SendBatch(w.ctx, batch).Close())
	expect(asked, 40)

	// A batch is a transaction: after an error in its middle nothing of it is there.
	token := w.token()
	batch = &pgx.Batch{}
	batch.Queue(insert, w.number, token)
	batch.Queue("select 1 / $1::int", 0)
	batch.Queue(insert, w.number, w.token())
	w.expectState(w.conn.SendBatch(w.ctx, batch).Close(), "22012")
	expect(w.count(token), 0)
	w.asks(w.conn)
}

// pipelines does the same by hand, below the driver's batches.
func (w *worker) pipelines() {
	pipeline := w.conn.PgConn().StartPipeline(w.ctx)
	tokens := []string{}
	for i := range 10 {
		tokens = append(tokens, w.token())
		pipeline.SendQueryParams("select $1", [][]byte{[]byte(tokens[i])}, []uint32{pgtype.TextOID}, nil, nil)
		if i == 4 {
			pipeline.SendQueryParams("select 1 / $1", [][]byte{[]byte("0")}, []uint32{pgtype.Int4OID}, nil, nil)
		}
		must(pipeline.Sync())
	}
	for i := range 10 {
		results, err := pipeline.GetResults()
		must(err)
		read := results.(*pgconn.ResultReader).Read()
		must(read.Err)
		expect(string(read.Rows[0][0]), tokens[i])
		if i == 4 {
			results, err = pipeline.GetResults()
			if err == nil {
				err = results.(*pgconn.ResultReader).Read().Err
			}
			w.expectState(err, "22012")
		}
		results, err = pipeline.GetResults()
		must(err)
		expect(results, &pgconn.PipelineSync{})
	}
	must(pipeline.Close())
}

func (w *worker) copies() {
	rows, tokens := [][]any{}, []string{}
	for i := range 500 {
		var note any
		if i%3 == 0 {
			note = "line\nof\ttext\\"
		}
		tokens = append(tokens, w.token())
		rows = append(rows, []any{w.number, tokens[i], note})
	}
	columns := []string{"worker", "token", "note"}
	copied, err := w.conn.CopyFrom(w.ctx, pgx.Identifier{"things"}, columns, pgx.CopyFromRows(rows))
	must(err)
	expect(copied, int64(500))
	expect(w.count(tokens...), 500)
	_, err = w.conn.CopyFrom(w.ctx, pgx.Identifier{"things"}, columns, pgx.CopyFromRows(rows))
	w.expectState(err, "23505")
	w.asks(w.conn)

	changesItsMind := func(i int) ([]any, error) { return nil, errors.New("the application changes its mind") }
	_, err = w.conn.CopyFrom(w.ctx, pgx.Identifier{"things"}, columns, pgx.CopyFromSlice(5, changesItsMind))
	if err == nil {
		must(errors.New("the application has changed its mind"))
	}
	w.asks(w.conn)

	var out bytes.Buffer
	_, err = w.conn.PgConn().CopyTo(w.ctx, &out, fmt.Sprintf("copy (select n, %d from generate_series(1, 3000) n) to stdout", w.number))
	must(err)
	expect(strings.Count(out.String(), fmt.Sprintf("\t%d\n", w.number)), 3000)
}

// cursors reads by portions: pgx has no cursors of its own, so with SQL.
func (w *worker) cursors() {
	must(pgx.BeginFunc(w.ctx, w.conn, func(tx pgx.Tx) error {
		token := w.token()
		_, err := tx.Exec(w.ctx, "declare walk scroll cursor for select n, $1::text from generate_series(1, 100) n", token)
		must(err)
		next := 1
		for next <= 100 {
			rows, err := tx.Query(w.ctx, "fetch 7 from walk")
			must(err)
			for rows.Next() {
				var number int
				var answer string
				must(rows.Scan(&number, &answer))
				expect(number, next)
				expect(answer, token)
				next++
			}
			must(rows.Err())
		}
		_, err = tx.Exec(w.ctx, "close walk")
		return err
	}))
}

func (w *worker) types() {
	type document struct {
		Worker int
		Nested []string
	}
	moment := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	sent := document{w.number, []string{"\u00fcber", w.token()}}
	var (
		numbers []*int32
		words   []string
		read    document
		at      time.Time
		amount  pgtype.Numeric
		id      [16]byte
		data    []byte
		nothing *string
		span    pgtype.Range[pgtype.Int4]
		labels  map[string]*string
	)
	one, label := int32(1), "b"
	var exact pgtype.Numeric
	must(exact.Scan("12345678901234567890.0987654321"))
	bytes256 := make([]byte, 256)
	for i := range bytes256 {
		bytes256[i] = byte(i)
	}
	must(w.conn.QueryRow(w.ctx,
		"select $1::int[], $2::text[], $3::jsonb, $4::timestamptz, $5::numeric, $6::uuid, $7::bytea, $8::text, $9::int4range, $10::jsonb",
		[]*int32{&one, nil}, []string{"a", `with "quotes"`}, sent, moment, exact, [16]byte{15: byte(w.number)}, bytes256, nil,
		pgtype.Range[int]{Lower: 1, Upper: 9, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true},
		map[string]*string{"a": &label, "c": nil},
	).Scan(&numbers, &words, &read, &at, &amount, &id, &data, &nothing, &span, &labels))
	expect(*numbers[0], one)
	expect(numbers[1] == nil, true)
	expect(words, []string{"a", `with "quotes"`})
	expect(read, sent)
	expect(at.Equal(moment), true)
	text, err := amount.Value()
	must(err)
	expect(text, "12345678901234567890.0987654321")
	expect(id[15], byte(w.number))
	expect(data, bytes256)
	expect(nothing == nil, true)
	expect(span.Upper.Int32, int32(9))
	expect(*labels["a"], "b")
}

func (w *worker) large() {
	text, answer := w.token()+strings.Repeat("\u00e9", 700_000), ""
	must(w.conn.QueryRow(w.ctx, "select $1::text", text).Scan(&answer))
	expect(answer == text, true)
	data, read := bytes.Repeat([]byte{byte(w.number)}, 3_000_000), []byte{}
	must(w.conn.QueryRow(w.ctx, "select $1::bytea", data).Scan(&read))
	expect(bytes.Equal(read, data), true)
}

func (w *worker) largeObjects() {
	content := bytes.Repeat([]byte(w.token()), 20_000)
	must(pgx.BeginFunc(w.ctx, w.conn, func(tx pgx.Tx) error {
		objects := tx.LargeObjects()
		oid, err := objects.Create(w.ctx, 0)
		must(err)
		object, err := objects.Open(w.ctx, oid, pgx.LargeObjectModeRead|pgx.LargeObjectModeWrite)
		must(err)
		_, err = object.Write(content)
		must(err)
		_, err = object.Seek(0, 0)
		must(err)
		var read bytes.Buffer
		_, err = read.ReadFrom(object)
		must(err)
		expect(bytes.Equal(read.Bytes(), content), true)
		must(object.Close())
		return objects.Unlink(w.ctx, oid)
	}))
}

func (w *worker) closesStatements() {
	for i := range statements {
		token, answer, number := w.token(), "", 0
		must(w.conn.QueryRow(w.ctx, fmt.Sprintf("select $1::text, %d", i), token).Scan(&answer, &number))
		expect(answer, token)
		expect(number, i)
	}
	w.ways()
}

// changesATable: a plan that no longer fits fails once, and the driver prepares anew.
func (w *worker) changesATable() {
	table := fmt.Sprintf("changing_%d", w.number)
	w.exec(fmt.Sprintf("drop table if exists %s; create table %s (a int)", table, table))
	w.exec("insert into "+table+" values ($1)", w.number)
	ask := func() (columns int, err error) {
		rows, err := w.conn.Query(w.ctx, fmt.Sprintf("select *, 'of %d' from %s", w.number, table))
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			values, err := rows.Values()
			must(err)
			expect(values[0], int32(w.number))
			columns = len(values)
		}
		return columns, rows.Err()
	}
	for range 8 {
		columns, err := ask()
		must(err)
		expect(columns, 2)
	}
	w.exec("alter table " + table + " add b text default 'new'")
	_, err := ask()
	w.expectState(err, "0A000")
	for range 8 {
		columns, err := ask()
		must(err)
		expect(columns, 3)
	}
}

// mayWait: two may hold a backend until another connection has done something; more would wait for each other.
func (w *worker) mayWait() bool {
	return w.number < 2
}

func (w *worker) listens() {
	if !w.mayWait() {
		return
	}
	channel := fmt.Sprintf("channel_%d", w.number)
	w.exec("listen " + channel)
	patience, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	for range 3 {
		token := w.token()
		_, err := w.pool.Exec(w.ctx, "select pg_notify($1, $2)", channel, token)
		must(err)
		heard, err := w.conn.WaitForNotification(patience)
		must(err)
		expect(heard.Channel+" "+heard.Payload, channel+" "+token)
		w.asks(w.conn)
	}
	w.exec("unlisten *")
	w.asks(w.conn)
}

// keeps: a temporary table binds the session to its backend while it lasts.
func (w *worker) keeps() {
	if !w.mayWait() {
		return
	}
	w.exec(fmt.Sprintf("create temporary table mine as select %d as number", w.number))
	for range 4 {
		var number int
		must(w.conn.QueryRow(w.ctx, "select number from mine").Scan(&number))
		expect(number, w.number)
	}
	w.exec("drop table mine")
	w.asks(w.conn)
}

// timesOut: when the context ends the driver sends a cancel request and gives the connection up; the pool opens another.
func (w *worker) timesOut() {
	short, cancel := context.WithTimeout(w.ctx, 50*time.Millisecond)
	defer cancel()
	_, err := w.pool.Exec(short, "select pg_sleep(60)")
	if !errors.Is(err, context.DeadlineExceeded) {
		must(fmt.Errorf("expected to run out of time, got %v", err))
	}
	w.asks(w.pool)
	if !w.mayWait() {
		return
	}
	// And as an application that cancels by hand, once the query runs, and keeps the connection.
	asleep := make(chan error)
	go func() {
		for running := false; !running; {
			err := w.pool.QueryRow(w.ctx, "select exists (select from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep')",
				w.name()).Scan(&running)
			if err != nil {
				asleep <- err
				return
			}
		}
		asleep <- w.conn.PgConn().CancelRequest(w.ctx)
	}()
	_, err = w.conn.Exec(w.ctx, "select pg_sleep(60)")
	must(<-asleep)
	w.expectState(err, "57014")
	w.asks(w.conn)
}

func (w *worker) works() {
	w.setUp()
	switch w.number % 4 {
	case 0:
		w.closesStatements()
	case 1:
		w.changesATable()
	}
	steps := []func(){
		w.session, w.prepared, w.ways, w.rollback, w.savepoints, w.errors, w.batches, w.pipelines, w.copies, w.cursors,
		w.types, w.large, w.largeObjects, w.timesOut, w.listens,
		w.keeps,
	}
	for turn := range rounds {
		steps[(turn+w.number)%len(steps)]()
	}
	w.session()
}

// Works when all have their connections: one that comes when the others have gone finds the same backend free each time.
func run(ctx context.Context, number int, lent, pool *pgxpool.Pool, connected *sync.WaitGroup) (done *worker, err error) {
	conn, err := lent.Acquire(ctx)
	connected.Done()
	connected.Wait()
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	defer func() {
		if it := recover(); it != nil {
			failure, ours := it.(wrong)
			if !ours {
				panic(it)
			}
			err = failure
		}
	}()
	done = &worker{number: number, conn: conn.Conn(), pool: pool, ctx: ctx, backends: map[int]bool{}}
	done.works()
	return done, nil
}

func program(ctx context.Context) error {
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		return err
	}
	config.MaxConns = connections
	lent, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer lent.Close()
	pool, err := pgxpool.New(ctx, "")
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err = pool.Exec(ctx, "drop table if exists things; create table things (worker int not null, token text unique, note text)"); err != nil {
		return err
	}
	var waiting, connected sync.WaitGroup
	connected.Add(connections)
	workers, failures := make([]*worker, connections), make([]error, connections)
	for number := range connections {
		waiting.Go(func() {
			workers[number], failures[number] = run(ctx, number, lent, pool, &connected)
		})
	}
	waiting.Wait()
	if err = errors.Join(failures...); err != nil {
		return err
	}
	backends, shared, answers := map[int]bool{}, 0, 0
	for _, it := range workers {
		for backend := range it.backends {
			backends[backend] = true
		}
		if len(it.backends) > 1 {
			shared++
		}
		answers += it.answers
	}
	version := "?"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/jackc/pgx/v5" {
				version = module.Version
			}
		}
	}
	fmt.Printf("pgx %s: %d connections, %d of them on several of %d backends, %d answers, none mixed up\n",
		version, len(workers), shared, len(backends), answers)
	return nil
}

func main() {
	if err := program(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
