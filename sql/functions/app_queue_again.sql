-- By hand: a spent queue row set back to todo. The row keeps its status, for its attempt is over; its job is retried instead,
-- on a new row. A job that cannot be retried is a warning and no error, so that it spoils no edit of many rows at once.
create or replace function app_queue_again() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job uuid;
begin
    begin
        job := (old.args ->> 'automation_job_id')::uuid;
        perform ops.retry(job, format('queue row %s was set to %s by hand', old.id, new.status));
        raise notice 'queue row % stays %: job % runs again on queue row %',
            old.id, old.status, job, (select queue_job_id from automation_job where id = job);
    exception when sqlstate 'AB404' or sqlstate 'AB409' or invalid_text_representation then
        raise warning 'queue row % stays %: %', old.id, old.status, sqlerrm;
    end;
    return old;
end $$;

create or replace trigger app_queue_again before update of status on procrastinate_jobs for each row
    when (old.task_name = 'automation' and old.status not in ('todo', 'doing') and new.status in ('todo', 'doing'))
    execute function app_queue_again();
