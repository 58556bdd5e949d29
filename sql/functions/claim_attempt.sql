-- The first act of a task: make the next attempt of its job, if this queue row is still the job's own and it may run.
-- Asked again by the same worker for the same row, after its answer was lost, it gives the attempt it made.
-- A job that two workers in a row were lost with waits in its worker until it can run alone.
-- A job that may not start its run any more, because its account was paused or narrowed since it was admitted, goes back to
-- those that wait, and no attempt is spent; so does one whose record the office has sent back, or not approved yet.
-- No row: superseded, cancelled or turned away meanwhile; the caller then ends without touching anything.
create or replace function claim_attempt(p_job uuid, p_queue_job bigint, p_worker text, p_lease_s float8)
returns setof automation_job language plpgsql as $$
declare
    job automation_job := lock_job(p_job);
    reason text;
    until timestamptz := clock_timestamp() + make_interval(secs => p_lease_s);
begin
    if job.id is null or job.queue_job_id is distinct from p_queue_job then
        return;
    end if;
    if job.state = 'processing' then
        return query
        with held as (
            update automation_attempt set lease_until = until
             where job_id = p_job and attempt = job.attempt and queue_job_id = p_queue_job and worker = p_worker
               and ended_at is null
            returning job_id)
        select j.* from automation_job as j join held on held.job_id = j.id;
    elsif job.state in ('queued', 'retrying') then
        reason := review_needs(job.record_id);
        if reason is not null and not under_way(job) then
            perform hold_job(job, reason);
            return;
        end if;
        reason := recheck_slot(job);
        if reason is not null then
            update automation_job
               set state = state_waiting(reason), wait_reason = reason, ready_at = null,
                   queued_at = case when job.state = 'queued' then queued_at else clock_timestamp() end,
                   queue_job_id = queue_defer(p_job, 'waiting')
             where id = p_job;
            return;
        end if;
        return query
        update automation_job
           set state = 'processing', attempt = attempt + 1, wait_reason = null, ready_at = null,
               error_code = null, error_class = null, error_message = null, error_step = null,
               started_at = coalesce(started_at, now())
         where id = p_job
        returning *;
        insert into automation_attempt (job_id, attempt, queue_job_id, worker, lease_until, waits, project_id, queued_at)
        values (p_job, job.attempt + 1, p_queue_job, p_worker, until, job.interruptions >= 2, job.project_id,
                case job.state when 'retrying' then job.ready_at else job.queued_at end);
    end if;
end $$;
