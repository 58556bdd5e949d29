-- What grows: the largest tables with their indexes, how many rows they have and had, and when they were last cleaned.
--
--     psql -f growth.sql
--
-- Many dead rows and no recent vacuum: look for a transaction that is open for long, in the second list.
\set ON_ERROR_STOP on
select c.relname as table, pg_size_pretty(pg_total_relation_size(c.oid)) as size, pg_size_pretty(pg_indexes_size(c.oid)) as of_it_indexes,
       s.n_live_tup as rows, s.n_dead_tup as dead, date_trunc('second', greatest(s.last_vacuum, s.last_autovacuum)) as vacuumed_at
  from pg_class as c join pg_stat_user_tables as s on s.relid = c.oid
 order by pg_total_relation_size(c.oid) desc
 limit 20;
select pid, usename as login, application_name as program, state, date_trunc('second', now() - xact_start) as open_for, wait_event_type, wait_event
  from pg_stat_activity
 where datname = current_database() and xact_start < now() - interval '30 seconds' and pid <> pg_backend_pid()
 order by xact_start;
