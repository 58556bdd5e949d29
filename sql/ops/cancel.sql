-- Cancel one job. One that runs is asked to stop, and ends when its run has; while its submission is in doubt this is refused.
--
--     psql -v job=0197… -v why='entered twice' -f cancel.sql
\set ON_ERROR_STOP on
\if :{?job}
\if :{?why} \else \set why '' \endif
select case state when 'cancelled' then 'cancelled' else 'asked to stop' end as done
  from (select ops.cancel(:'job', :'why') ->> 'state' as state) as act;
select id as job, external_ref, state, queue_row, queue_status from ops.jobs where id = :'job';
\else
\echo 'which job, and why?  psql -v job=0197… -v why=''entered twice'' -f cancel.sql'
\endif
