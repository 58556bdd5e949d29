create or replace view ops.jobs as
select j.id, j.record_id, p.code as project, j.state, j.wait_reason, j.ready_at, j.attempt, j.failures, j.max_attempts,
       j.external_ref, j.confirmation, j.error_code,
       case when (select sees_people()) then j.error_message else failure_shape(j.error_message) end as error_message, j.failure as fingerprint, j.created_at,
       j.queued_at, j.started_at, j.finished_at,
       q.id as queue_row, q.queue_name as queue, q.status::text as queue_status
  from automation_job as j
  join project as p on p.id = j.project_id
  left join procrastinate_jobs as q on q.id = j.queue_job_id;
comment on view ops.jobs is 'Every automation job with the queue row that carries it. Act on it with ops.retry(id, reason).';
comment on column ops.jobs.ready_at is 'A retrying job is due at this time, by the database''s clock.';
comment on column ops.jobs.failures is 'Attempts spent of max_attempts since the last retry by a person.';
comment on column ops.jobs.error_message is 'For members of asbuilt_readonly without quoted text, ids and numbers.';
comment on column ops.jobs.fingerprint is 'Jobs that failed for one cause have the same; ops.failures counts them.';
comment on column ops.jobs.queue is 'automation: a worker takes it now. waiting: wait_reason says for what.';
