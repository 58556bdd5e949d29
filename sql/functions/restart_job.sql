-- A locked job that has ended goes on: a fresh budget, and a new queue row that may run now or waits for what its record needs and
-- for a slot. One that is completed is submitted once more: reference, run key and attempts begin anew, so that neither the run, the
-- steps nor the number of the submission before is taken for its own. Who may is for the callers to say: ops.retry never restarts what
-- is completed. Raises AB409 (another job of the record is live).
create or replace function restart_job(job automation_job) returns automation_job language plpgsql as $$
declare
    again boolean := job.state = 'completed';
    needs text;
    reason text;
begin
    if exists (select from automation_job where record_id = job.record_id and id <> job.id
                and state not in ('completed', 'failed', 'cancelled')) then
        raise exception using errcode = 'AB409', message = 'another job of this record is live',
            hint = 'look at ops.jobs for the record';
    end if;
    -- A job cancelled while it waited for its photos, or behind a blocker, waits for them again.
    needs := record_needs(job.record_id);
    reason := coalesce(needs, take_slot(job.account_id, job.id));
    update automation_job as j
       set state = case reason when 'media' then 'awaiting_media' else state_waiting(reason) end,
           wait_reason = reason, failures = 0, interruptions = 0, finished_at = null, down_since = null,
           -- Asked of a run that is over.
           cancel_requested_at = null,
           queued_at = case when needs is null then clock_timestamp() end,
           error_code = null, error_class = null, error_message = null, error_step = null,
           queue_job_id = queue_defer(job.id, case when reason is null then 'automation' else 'waiting' end),
           confirmation = null, portal_url = null,
           times = j.times + again::int,
           external_ref = case when again then nth_ref(r.external_ref, j.times + 1) else j.external_ref end,
           generation = j.generation + again::int,
           attempts_before = case when again then j.attempt else j.attempts_before end,
           started_at = case when not again then j.started_at end
      from asbuilt_record as r
     where j.id = job.id and r.id = j.record_id
    returning j.* into job;
    return job;
end $$;
