-- What is slow: the steps that cost most time in the last 24 hours, then the runs that last longest at this moment.
--
--     psql -f slow.sql
\set ON_ERROR_STOP on
select portal, step, runs, round(p50_s::numeric, 1) as p50_s, round(p95_s::numeric, 1) as p95_s, round(max_s::numeric, 1) as max_s,
       round((100 * total_s / nullif(sum(total_s) over (), 0))::numeric) as percent, slowest_job
  from ops.slow
 order by total_s desc
 limit 20;
select external_ref, project, worker, date_trunc('second', took) as runs_for, steps_confirmed, progress ->> 'message' as doing, job_id as job
  from ops.attempts
 where ended_at is null
 order by took desc
 limit 20;
