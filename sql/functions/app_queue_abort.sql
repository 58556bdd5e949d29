-- By hand: abort_requested on a running queue row. It means: cancel the job. The flag is not kept, for a worker that saw it
-- would stop the attempt in the middle of whatever it does; our own request waits until nothing is in flight.
create or replace function app_queue_abort() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job uuid := (select id from automation_job where queue_job_id = old.id);
begin
    if job is not null then
        perform ops.cancel(job, format('abort of queue row %s was requested by hand', old.id));
        new.abort_requested := false;
        raise notice 'job % is asked to stop; its attempt hears it when it next renews its lease', job;
    end if;
    return new;
end $$;

create or replace trigger app_queue_abort before update of abort_requested on procrastinate_jobs for each row
    when (old.task_name = 'automation' and old.status = 'doing' and new.status = 'doing'
          and new.abort_requested and not old.abort_requested)
    execute function app_queue_abort();
