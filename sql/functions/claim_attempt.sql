-- The first act of a task: make the next attempt of its job, if this queue row is still the job's own and it may run.
-- No row: superseded or cancelled meanwhile; the caller then ends without touching anything.
create or replace function claim_attempt(p_job uuid, p_queue_job bigint, p_worker text, p_lease_s float8)
returns setof automation_job language plpgsql as $$
declare
    job automation_job := lock_job(p_job);
begin
    if job.id is null or job.queue_job_id is distinct from p_queue_job or job.state not in ('queued', 'retrying') then
        return;
    end if;
    return query
    update automation_job
       set state = 'processing', attempt = attempt + 1, wait_reason = null, ready_at = null,
           error_code = null, error_class = null, error_message = null, error_step = null,
           started_at = coalesce(started_at, now())
     where id = p_job
    returning *;
    insert into automation_attempt (job_id, attempt, queue_job_id, worker, lease_until)
    values (p_job, job.attempt + 1, p_queue_job, p_worker, clock_timestamp() + make_interval(secs => p_lease_s));
end $$;
