-- Lock a job with its queue row, in the one order that everybody keeps: queue row first, job second.
-- Answers the locked job, or a row of nulls when there is none, or none in a project of the caller's (in_sight): a second wall behind
-- the checks of the application. From here on this transaction may set the job's state.
create or replace function lock_job(p_job uuid) returns automation_job language plpgsql as $$
declare
    job automation_job;
    queue_row bigint;
begin
    loop
        select queue_job_id into queue_row from automation_job where id = p_job and in_sight(project_id);
        if not found then
            return null;
        end if;
        perform from procrastinate_jobs where id = queue_row for update;
        select * into job from automation_job where id = p_job for update;
        -- Between the two locks another transaction may have given the job a new queue row.
        exit when job.queue_job_id is not distinct from queue_row;
    end loop;
    perform set_config('asbuilt.locked_job', p_job::text, true);
    return job;
end $$;
