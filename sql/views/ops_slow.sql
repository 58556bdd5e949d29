create or replace view ops.slow as
select acc.portal_key as portal, s.key as step, count(*) as runs,
       percentile_cont(0.5) within group (order by extract(epoch from s.ended_at - s.started_at)) as p50_s,
       percentile_cont(0.95) within group (order by extract(epoch from s.ended_at - s.started_at)) as p95_s,
       extract(epoch from max(s.ended_at - s.started_at))::float8 as max_s,
       sum(extract(epoch from s.ended_at - s.started_at))::float8 as total_s,
       (array_agg(s.job_id order by s.ended_at - s.started_at desc))[1] as slowest_job
  from project as p
 cross join lateral (select * from automation_attempt as t
                      where t.project_id = p.id and t.ended_at > now() - interval '24 hours') as a
  join automation_step as s on s.job_id = a.job_id and s.attempt = a.attempt and s.state = 'confirmed' and not s.resumed
  join automation_job as j on j.id = a.job_id
  join portal_account as acc on acc.id = j.account_id
 group by acc.portal_key, s.key;
comment on view ops.slow is 'Where the time goes: the steps of the attempts that ended in the last 24 hours, by portal. The costliest first: order by total_s desc.';
comment on column ops.slow.step is 'A step of the portal''s recipe.';
comment on column ops.slow.runs is 'How often it was done; steps that a later attempt took over are not counted again.';
comment on column ops.slow.p50_s is 'Half of them took no longer, in seconds.';
comment on column ops.slow.p95_s is 'All but one in twenty took no longer, in seconds.';
comment on column ops.slow.total_s is 'Seconds in all.';
comment on column ops.slow.slowest_job is 'See ops.timeline for it, and ops.attempts for its log.';
