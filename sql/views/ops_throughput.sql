create or replace view ops.throughput as
select p.code as project, date_trunc('hour', a.ended_at) as hour,
       count(*) filter (where a.outcome = 'completed') as completed, count(*) filter (where a.outcome = 'failed') as failed,
       count(*) filter (where a.outcome = 'lost') as lost,
       percentile_cont(0.5) within group (order by extract(epoch from a.started_at - a.queued_at)) as pickup_p50_s,
       percentile_cont(0.95) within group (order by extract(epoch from a.started_at - a.queued_at)) as pickup_p95_s,
       percentile_cont(0.5) within group (order by extract(epoch from a.ended_at - a.started_at))
           filter (where a.outcome = 'completed') as run_p50_s,
       percentile_cont(0.95) within group (order by extract(epoch from a.ended_at - a.started_at))
           filter (where a.outcome = 'completed') as run_p95_s
  from automation_attempt as a join project as p on p.id = a.project_id
 where a.ended_at > now() - interval '24 hours'
 group by p.code, date_trunc('hour', a.ended_at);
comment on view ops.throughput is 'The attempts that ended in the last 24 hours, by hour and project.';
comment on column ops.throughput.pickup_p50_s is 'Half of the attempts were taken up within so many seconds of being in line, or due.';
comment on column ops.throughput.run_p50_s is 'Half of the completed attempts ran no longer, in seconds.';
