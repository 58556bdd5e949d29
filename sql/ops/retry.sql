-- Retry one job: a failed or cancelled one with a fresh budget, one that waits for its next attempt at once.
--
--     psql -v job=0197… -v why='the portal is back' -f retry.sql
\set ON_ERROR_STOP on
\if :{?job}
\if :{?why} \else \set why '' \endif
select ops.retry(:'job', :'why') ->> 'state' as is_now;
select id as job, external_ref, state, wait_reason, queue_row, queue, queue_status from ops.jobs where id = :'job';
\else
\echo 'which job, and why?  psql -v job=0197… -v why=''the portal is back'' -f retry.sql'
\endif
