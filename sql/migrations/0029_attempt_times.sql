-- How long a job waited for the worker that took it, and whose it is, beside when it ran: what charts of throughput and latency
-- read, from one index, whatever became of the job later.
alter table automation_attempt add column project_id uuid, add column queued_at timestamptz;
update automation_attempt as a set project_id = j.project_id from automation_job as j where j.id = a.job_id;
comment on column automation_attempt.queued_at is 'Since when it could have been taken up: the job was in line, or its retry due. Null where that was not kept.';
create index automation_attempt_ended on automation_attempt (project_id, ended_at) include (outcome, started_at, queued_at)
    where ended_at is not null;
