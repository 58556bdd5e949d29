create or replace view ops.queue_depth as
select p.code as project, coalesce(j.ready, 0) as ready, coalesce(j.running, 0) as running, coalesce(j.waiting, 0) as waiting,
       j.oldest_ready_at, now() - j.oldest_ready_at as oldest_ready_age, c.came as came_1h, w.went as went_1h, c.came - w.went as grew_1h
  from project as p
  left join (
       select project_id,
              count(*) filter (where state = 'queued' and wait_reason is null or state = 'retrying' and ready_at <= now()) as ready,
              count(*) filter (where state = 'processing') as running,
              count(*) filter (where state <> 'processing' and not (state = 'queued' and wait_reason is null)
                                 and not (state = 'retrying' and ready_at <= now())) as waiting,
              min(case state when 'retrying' then ready_at else job_since(j) end)
                  filter (where state = 'queued' and wait_reason is null or state = 'retrying' and ready_at <= now()) as oldest_ready_at
         from automation_job as j
        where state in ('awaiting_media', 'held', 'queued', 'processing', 'retrying', 'needs_input')
        group by project_id) as j on j.project_id = p.id
 cross join lateral (select count(*) as came from asbuilt_record as r
                      where r.project_id = p.id and r.deleted_at is null and r.received_at > now() - interval '1 hour') as c
 cross join lateral (select count(*) as went from automation_job as f
                      where f.project_id = p.id and f.state = 'completed' and f.finished_at > now() - interval '1 hour') as w;
comment on view ops.queue_depth is 'Is the queue growing? Live jobs of each project, and what came and went in the last hour. What they wait for is in ops.backlog.';
comment on column ops.queue_depth.ready is 'Jobs that wait for nothing but a worker.';
comment on column ops.queue_depth.running is 'Jobs that a worker has.';
comment on column ops.queue_depth.waiting is 'Jobs that wait for something else: photos, a person, a slot at the portal, a time.';
comment on column ops.queue_depth.oldest_ready_at is 'Since when the oldest ready job is in line, or due. Old, with workers that have places: see ops.stuck.';
comment on column ops.queue_depth.came_1h is 'Records that came in the last hour.';
comment on column ops.queue_depth.went_1h is 'Jobs completed in the last hour.';
comment on column ops.queue_depth.grew_1h is 'came_1h less went_1h: above zero hour after hour, the workers or the portal do not keep up.';
