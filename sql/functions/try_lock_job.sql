-- As lock_job, for sweeps: answers a row of nulls instead of waiting for whoever holds the job or its queue row.
create or replace function try_lock_job(p_job uuid) returns automation_job language plpgsql as $$
declare
    job automation_job;
    queue_row bigint := (select queue_job_id from automation_job where id = p_job);
begin
    perform from procrastinate_jobs where id = queue_row for update skip locked;
    if not found and exists (select from procrastinate_jobs where id = queue_row) then
        return null;
    end if;
    select * into job from automation_job where id = p_job and in_sight(project_id) for update skip locked;
    if job.queue_job_id is distinct from queue_row then
        return null;
    end if;
    perform set_config('asbuilt.locked_job', p_job::text, true);
    return job;
end $$;
