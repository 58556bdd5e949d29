-- A person puts a job on hold: it starts no run until it is released. Raises AB404 and AB409 (it runs, asks, or has ended).
create or replace function ops.hold(p_job uuid, p_reason text) returns jsonb language plpgsql as $$
declare
    job automation_job := lock_job(p_job);
    before jsonb := job_view(job);
begin
    if job.id is null then
        raise exception using errcode = 'AB404', message = format('there is no job %s', p_job);
    elsif job.state not in ('awaiting_media', 'held', 'queued', 'retrying') or job.wait_reason = 'hold' then
        raise exception using errcode = 'AB409', message = format('a job that is %s cannot be put on hold',
            case job.wait_reason when 'hold' then 'on hold' else job.state end),
            hint = 'only jobs that wait can; ops.cancel stops one that runs';
    end if;
    update automation_job
       set state = 'held', wait_reason = 'hold', ready_at = null,
           -- A row that a worker has fetched and not yet claimed is spent: it finds that the job has another one.
           queue_job_id = case when exists (select from procrastinate_jobs where id = job.queue_job_id and status = 'todo')
                               then queue_job_id else queue_defer(p_job, 'waiting') end
     where id = p_job returning * into job;
    update procrastinate_jobs set queue_name = 'waiting', priority = -100
     where id = job.queue_job_id and status = 'todo' and queue_name <> 'waiting';
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'job.hold', p_reason, job.project_id, job.record_id, p_job, before, job_view(job));
    -- A run that may be in the portal keeps its slot.
    if exists (select from portal_slot where job_id = p_job and run_at is null) then
        perform promote(free_slot(p_job));
    end if;
    return job_view(job);
end $$;
comment on function ops.hold(uuid, text) is 'Put a waiting job on hold until ops.release. Say why; it is kept.';
