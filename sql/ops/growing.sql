-- Is the queue growing? What is in line in each project, what came and went in the last hour, and what it all waits for.
--
--     psql -f growing.sql
--
-- grew_1h above zero hour after hour: workers or portal do not keep up. workers.sql tells which: with places free, it is the portal.
\set ON_ERROR_STOP on
select project, ready, running, waiting, date_trunc('second', oldest_ready_age) as oldest_ready, came_1h, went_1h, grew_1h
  from ops.queue_depth
 order by ready desc, project;
select project, state, wait_reason, jobs, date_trunc('second', oldest_age) as oldest
  from ops.backlog
 order by jobs desc;
select hour, project, completed, failed, lost, round(pickup_p95_s::numeric, 1) as pickup_p95_s, round(run_p50_s::numeric, 1) as run_p50_s
  from ops.throughput
 order by hour desc, project
 limit 48;
