-- By hand: a live queue row set to succeeded, failed or aborted. The row is not the truth about its job: an attempt that runs
-- goes on to its own end, and a job without one is given a new row by the next sweep.
--
-- A worker's own finish counts the row's attempts up, and is not seen here.
create or replace function app_queue_ended() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job automation_job;
begin
    select * into job from automation_job where queue_job_id = new.id;
    if found then
        perform note_edit(job, 'queue.ended', format('queue row %s was set to %s by hand', new.id, new.status), job_view(job));
        raise notice 'job % is still %: %', job.id, job.state, case when job.state = 'processing'
            then 'its attempt runs to its own end' else 'the next sweep gives it a new queue row' end;
    end if;
    return null;
end $$;

create or replace trigger app_queue_ended after update of status on procrastinate_jobs for each row
    when (old.task_name = 'automation' and old.status in ('todo', 'doing')
          and new.status in ('succeeded', 'failed', 'aborted') and new.attempts = old.attempts)
    execute function app_queue_ended();
