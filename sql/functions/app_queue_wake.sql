-- Procrastinate notifies on INSERT only: whatever else makes a row runnable, by hand or by us, is told to the workers here.
create or replace function app_queue_wake() returns trigger language plpgsql as $$
declare
    payload text := json_build_object('type', 'job_inserted', 'job_id', new.id)::text;
begin
    perform pg_notify('procrastinate_queue_v1#' || new.queue_name, payload);
    perform pg_notify('procrastinate_any_queue_v1', payload);
    return null;
end $$;

create or replace trigger app_queue_wake after update of status, queue_name, scheduled_at on procrastinate_jobs for each row
    when (new.status = 'todo' and (new.scheduled_at is null or new.scheduled_at <= clock_timestamp())
          and (old.status <> 'todo' or new.queue_name <> old.queue_name or new.scheduled_at is distinct from old.scheduled_at))
    execute function app_queue_wake();
