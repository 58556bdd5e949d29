-- Cancel by a person. A job that runs is asked to stop, and ends when its run has; all others end at once.
-- Raises AB404 (no such job) and AB409 (it has ended already).
create or replace function ops.cancel(p_job uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    job automation_job := known_job(p_job);
    before jsonb := job_view(job);
    spent bigint;
begin
    if job.state in ('completed', 'failed', 'cancelled') then
        raise exception using errcode = 'AB409', message = format('a job that is %s cannot be cancelled', job.state),
            hint = 'only a live job can: one that is not completed, failed or cancelled';
    elsif exists (select from portal_submission where job_id = p_job and state = 'intent') then
        raise exception using errcode = 'AB409', message = 'the outcome of its submission is being checked',
            hint = 'wait until it is known, or answer with ops.answer_outcome where a person is asked';
    elsif job.state = 'processing' then
        update automation_job set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
         where id = p_job returning * into job;
    elsif job.state = 'needs_input' and exists (select from automation_input as i where i.job_id = p_job and i.outcome is null
                                                   and i.generation = job.generation and i.run_input_id is not null) then
        -- Its run holds a page of the portal open: a short attempt ends the run, and the job with it.
        spent := job.queue_job_id;
        update automation_input set outcome = 'withdrawn' where job_id = p_job and outcome is null;
        update automation_job
           set state = 'queued', wait_reason = null, ready_at = null, queued_at = clock_timestamp(),
               cancel_requested_at = clock_timestamp(), queue_job_id = queue_defer(p_job, 'automation', true)
         where id = p_job returning * into job;
        update procrastinate_jobs set status = 'cancelled' where id = spent and status = 'todo';
    else
        spent := job.queue_job_id;
        update automation_job
           set state = 'cancelled', wait_reason = null, ready_at = null, queue_job_id = null, finished_at = clock_timestamp()
         where id = p_job returning * into job;
        -- After the job has let go of it, so that this is no edit by hand.
        update procrastinate_jobs set status = 'cancelled' where id = spent and status = 'todo';
    end if;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'job.cancel', why, job.project_id, job.record_id, p_job, before, job_view(job));
    return job_view(job);
end $$;
comment on function ops.cancel(uuid, text) is
    'Cancel a live job; one that runs is asked to stop. Refused while a submission''s outcome is being checked.';
