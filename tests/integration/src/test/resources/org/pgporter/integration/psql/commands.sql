-- Commands that send something to the server, or change how an answer is read.
select n, n * n as square from generate_series(1, 3) n;
\g
select 'one' as word \gx
select 1 as a, 'two' as b \gset got_
\echo :got_a :'got_b'
select 'ready' as state, null::int as nothing \gdesc
select format('select %s as generated', n) from generate_series(1, 3) n \gexec
select 'select 1/0' union all select 'select 2 as still_there' \gexec
\errverbose
select 'x' as key, 'y' as side, 5 as value union all select 'x', 'z', 6 \crosstabview
\set answer 42
select :answer, :'answer', :"answer" from (select 1 as "42") as t;
\unset answer
\if true
select 'in the branch';
\else
select 'never';
\endif
\x on
select 1 as one, 2 as two;
\x auto
\pset format csv
select 1 as one, 'a,b' as two;
\pset format html
select '<b>' as html;
\pset format aligned
\a
\t
select 'bare';
\a
\t
\pset null '(null)'
select null;
\set AUTOCOMMIT off
insert into shop.log values ('2024-02-02', 'in a transaction of its own');
rollback;
\set AUTOCOMMIT on
select count(*) from shop.log;
\set ON_ERROR_ROLLBACK on
begin;
insert into shop.log values ('2024-03-03', 'kept');
insert into shop.log values ('2030-01-01', 'no such partition');
select count(*) from shop.log;
rollback;
\unset ON_ERROR_ROLLBACK
begin;
select 1/0;
select 'refused';
commit;
\set FETCH_COUNT 7
select n from generate_series(1, 20) n;
\unset FETCH_COUNT
\set VERBOSITY verbose
select no_such_column;
\set VERBOSITY sqlstate
select no_such_column;
\set VERBOSITY default
\set SHOW_ALL_RESULTS off
select 1 \; select 2;
\set SHOW_ALL_RESULTS on
select 1 \; select 2 \; select 'three';
\set SINGLESTEP off
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE
do $$ begin raise notice 'a notice'; raise warning 'a warning'; end $$;
begin;
create temporary table t (n int) on commit drop;
\copy t from stdin
1
2
\N
\.
select * from t;
\copy t to stdout
\copy (select n + 1 from t order by n) to stdout with (format csv, header)
\copy t from program 'printf "4\n5\n"'
\copy t to program 'sort -r'
\copy t from stdin
not a number
\.
rollback;
copy (select n from generate_series(1, 3) n) to stdout;
copy shop.log from stdin with (format csv);
2024-05-05,"a line, with a comma"
\.
select * from shop.log;
delete from shop.log;
\lo_list
\lo_import /dev/null 'empty'
\lo_export :LASTOID /dev/null
\lo_unlink :LASTOID
\lo_list
\no_such_command
select 'the end';
