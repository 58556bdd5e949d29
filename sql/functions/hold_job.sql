-- A locked job that may run, or is to be tried again, waits for this reason instead.
create or replace function hold_job(job automation_job, p_reason text) returns void language plpgsql as $$
declare
    carrier bigint;
begin
    update automation_job
       set state = case p_reason when 'media' then 'awaiting_media' else 'held' end, wait_reason = p_reason, ready_at = null,
           -- A row that a worker has fetched and not yet claimed is spent: it finds that the job has another one.
           queue_job_id = case when exists (select from procrastinate_jobs where id = job.queue_job_id and status = 'todo')
                               then job.queue_job_id else queue_defer(job.id, 'waiting') end
     where id = job.id returning queue_job_id into carrier;
    update procrastinate_jobs set queue_name = 'waiting', priority = -100
     where id = carrier and status = 'todo' and queue_name <> 'waiting';
    -- A run that may be in the portal keeps its slot.
    if exists (select from portal_slot where job_id = job.id and run_at is null) then
        perform promote(free_slot(job.id));
    end if;
end $$;
