-- The migration runner's own statements.

-- name: hold_lock :exec
-- One migration at a time in a cluster; the second waits for as long as the first needs.
select set_config('lock_timeout', '0', false), pg_advisory_lock(727274001);

-- name: bound_locks :exec
-- Whoever comes after one that waits for a lock waits behind it: so a migration waits for moments, and tries again.
select set_config('lock_timeout', '400ms', false), set_config('statement_timeout', '0', false);

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

-- name: made_by :many
-- What takes away the function of this name with its triggers, each of its signatures, or the view; but for what this very
-- transaction has made or replaced, unless that is wanted, too.
select statement from (
    select 1 as place, concat('drop trigger ', quote_ident(t.tgname), ' on ', t.tgrelid::regclass) as statement
      from pg_trigger as t join pg_proc as p on p.oid = t.tgfoid
     where %(folder)s = 'functions' and p.pronamespace = %(schema)s::regnamespace and p.proname = %(made)s
       and not t.tgisinternal and (%(touched)s or t.xmin <> pg_current_xact_id()::xid)
    union all
    select 2, concat('drop function ', p.oid::regprocedure) from pg_proc as p
     where %(folder)s = 'functions' and p.pronamespace = %(schema)s::regnamespace and p.proname = %(made)s
       and (%(touched)s or p.xmin <> pg_current_xact_id()::xid)
    union all
    select 3, concat('drop view ', c.oid::regclass) from pg_class as c
     where %(folder)s = 'views' and c.relnamespace = %(schema)s::regnamespace and c.relname = %(made)s and c.relkind = 'v'
       and (%(touched)s or c.xmin <> pg_current_xact_id()::xid)
) as made order by place;

-- name: open_functions :many
-- What takes from everybody the functions that anybody may execute, as Postgres has it of each new one. The grants come last, and not at
-- all when a file fails: until then a new function is left to the processes that call it already, as others were replaced before it.
select concat('revoke all on function ', f.made, ' from public', '; grant execute on function ' || f.made || ' to ' || f.callers) as statement
  from (select p.oid::regprocedure as made,
               (select string_agg(r.rolname, ', ') from pg_roles as r
                 where r.rolname in ('asbuilt_app', case n.nspname when 'ops' then 'asbuilt_operator' else 'asbuilt_worker' end)) as callers
          from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
         where n.nspname in ('public', 'ops') and has_function_privilege('public', p.oid, 'execute') and pg_has_role(p.proowner, 'member')
           and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')) as f;

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
