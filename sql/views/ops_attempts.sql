create or replace view ops.attempts as
select a.job_id, j.record_id, p.code as project, j.external_ref, a.attempt, a.worker, a.queue_job_id as queue_row,
       a.started_at, a.ended_at, coalesce(a.ended_at, now()) - a.started_at as took, a.lease_until, a.outcome,
       (select count(*) from automation_step as s
         where s.job_id = a.job_id and s.attempt = a.attempt and s.state = 'confirmed') as steps_confirmed,
       a.error_code, a.error_class,
       case when (select sees_people()) then a.error_message else failure_shape(a.error_message) end as error_message, a.error_step,
       case when (select sees_people()) then a.traceback end as traceback, case when (select sees_people()) then a.log end as log,
       case when (select sees_people()) then a.progress else plain_facts(a.progress) end as progress
  from automation_attempt as a
  join automation_job as j on j.id = a.job_id
  join project as p on p.id = j.project_id;
comment on view ops.attempts is 'Every execution of every job by a worker, with how it ended and what it logged.';
comment on column ops.attempts.worker is 'host:process of the worker.';
comment on column ops.attempts.queue_row is 'The queue row that this attempt used up; gone after its retention.';
comment on column ops.attempts.took is 'Of an attempt that still runs: until now.';
comment on column ops.attempts.lease_until is 'An open attempt past this time is lost, and another takes over.';
comment on column ops.attempts.outcome is 'completed, failed, lost (its worker died), detached (its worker was stopped), parked (a person is asked), cancelled; null while it runs.';
comment on column ops.attempts.error_message is 'For members of asbuilt_readonly without quoted text, ids and numbers.';
comment on column ops.attempts.traceback is 'Of an error in our own code; an error of the portal has none. As the log, hidden from members of asbuilt_readonly.';
comment on column ops.attempts.log is 'The last 1,000 lines, at most 64 KiB; messages only, never form data.';
