-- By hand: a queue row set to cancelled before it was fetched. It means: cancel the job.
create or replace function app_queue_cancel() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job uuid := (select id from automation_job where queue_job_id = new.id);
    state text;
begin
    -- Not ops.cancel's own doing: that takes the row from its job first.
    if job is not null then
        state := ops.cancel(job, format('queue row %s was set to cancelled by hand', new.id)) ->> 'state';
        raise notice 'job % is % with its queue row %', job,
            case state when 'cancelled' then state else 'asked to stop' end, new.id;
    end if;
    return null;
end $$;

create or replace trigger app_queue_cancel after update of status on procrastinate_jobs for each row
    when (old.task_name = 'automation' and old.status = 'todo' and new.status = 'cancelled')
    execute function app_queue_cancel();
