-- The migration runner's own statements.

-- name: hold_lock :exec
-- One migration at a time in a cluster; the second waits for as long as the first needs.
select set_config('lock_timeout', '0', false), pg_advisory_lock(727274001);

-- name: bound_locks :exec
-- Whoever comes after one that waits for a lock waits behind it: so a migration waits for moments, and tries again.
select set_config('lock_timeout', '400ms', false);

-- name: release_lock :exec
-- Let the next one in.
select pg_advisory_unlock(727274001);

-- name: create_ledger :exec
-- Which files were applied, and with what content.
create table if not exists schema_migration (
    source text not null check (source in ('procrastinate', 'asbuilt', 'repeatable')),
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    primary key (source, name)
);

-- name: applied :many
-- Everything in the ledger.
select source, name, sha256 from schema_migration;

-- name: has_queue :one
-- Whether Procrastinate's tables are there already.
select to_regclass('procrastinate_jobs') is not null as there;

-- name: our_queue_triggers :many
-- What takes our triggers off Procrastinate's tables: they hold on to the columns they name.
select concat('drop trigger ', quote_ident(t.tgname), ' on ', t.tgrelid::regclass) as statement
  from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
 where not t.tgisinternal and starts_with(t.tgname, 'app_') and starts_with(c.relname, 'procrastinate_');

-- name: forget :exec
-- Have a function or view made anew.
delete from schema_migration where source = 'repeatable' and name = %(name)s;

-- name: has_ledger :one
-- Whether this database was ever migrated.
select to_regclass('schema_migration') is not null as there;

-- name: note :exec
-- Enter a file into the ledger.
insert into schema_migration (source, name, sha256) values (%(source)s, %(name)s, %(sha256)s)
on conflict (source, name) do update set sha256 = excluded.sha256, applied_at = now();

-- name: defer_body_checks :exec
-- Functions may name one another in any order.
select set_config('check_function_bodies', 'off', true);
