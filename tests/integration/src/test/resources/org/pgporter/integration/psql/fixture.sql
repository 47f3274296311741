-- What the listings have to show: at least one of everything a role without special rights can make.
create schema shop;
create domain shop.price as numeric(10, 2) check (value >= 0);
create type shop.state as enum ('new', 'paid', 'sent');
create type shop.address as (street text, town text);
create sequence shop.order_number;
create table shop.customer (id int generated always as identity primary key, name text not null, home shop.address);
create table shop.orders (
    id int primary key default nextval('shop.order_number'),
    customer int not null references shop.customer,
    state shop.state not null default 'new',
    total shop.price,
    placed timestamptz not null default '2024-01-01 00:00:00+00');
create index orders_state on shop.orders (state) where state <> 'sent';
comment on table shop.orders is 'What was ordered, with an ä';
create view shop.unpaid as select * from shop.orders where state = 'new';
create materialized view shop.totals as select customer, sum(total) as total from shop.orders group by customer;
create table shop.log (at date not null, line text) partition by range (at);
create table shop.log_2024 partition of shop.log for values from ('2024-01-01') to ('2025-01-01');
create function shop.double(int) returns int language sql immutable as 'select $1 * 2';
create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
create procedure shop.nothing() language plpgsql as 'begin null; end';
create aggregate shop.product (int) (sfunc = int4mul, stype = int, initcond = '1');
create operator shop.## (leftarg = int, rightarg = int, function = int4pl);
create trigger touch before update on shop.orders for each row execute function shop.touch();
create rule quiet as on delete to shop.customer do instead nothing;
create statistics shop.orders_stats on customer, state from shop.orders;
create collation shop.plain from "C";
create text search configuration shop.words (copy = simple);
alter table shop.customer enable row level security;
create policy everybody on shop.customer using (true);
create publication all_orders for table shop.orders;
alter default privileges in schema shop grant select on tables to public;
grant select on shop.orders to public;
insert into shop.customer (name, home)
    select 'customer ' || n, row('street ' || n, 'town')::shop.address from generate_series(1, 50) n;
insert into shop.orders (customer, total) select n, n * 1.5 from generate_series(1, 50) n;
