-- Which worker has it? Every worker of the last day, then what each of them runs.
--
--     psql -f workers.sql
\set ON_ERROR_STOP on
select worker, state, busy, places, version, date_trunc('second', started_at) as started_at, date_trunc('second', now() - seen_at) as seen_ago
  from ops.workers
 order by state, worker;
select a.worker, w.state as worker_is, a.external_ref, a.project, a.attempt, date_trunc('second', a.took) as runs_for,
       a.steps_confirmed, date_trunc('second', a.lease_until - now()) as lease_left, a.job_id as job
  from ops.attempts as a left join ops.workers as w on w.worker = a.worker
 where a.ended_at is null
 order by a.worker, a.started_at;
