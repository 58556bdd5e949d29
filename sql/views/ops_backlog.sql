create or replace view ops.backlog as
select p.code as project, j.state, j.wait_reason, count(*) as jobs, min(job_since(j)) as oldest_at,
       now() - min(job_since(j)) as oldest_age
  from automation_job as j join project as p on p.id = j.project_id
 where j.state in ('awaiting_media', 'held', 'queued', 'processing', 'retrying', 'needs_input')
 group by p.code, j.state, j.wait_reason;
comment on view ops.backlog is 'Live jobs by what they wait for: how many, and how long the oldest has. A queued one without a reason waits for a worker.';
comment on column ops.backlog.oldest_at is 'Since when the oldest of them is in line or in this state.';
