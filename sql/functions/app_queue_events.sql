-- By hand: TRUNCATE of the queue's events. They tell when a row was over, so rows that are get one anew, or they would be kept for ever.
create or replace function app_queue_events() returns trigger language plpgsql as $$
begin
    insert into procrastinate_events (job_id, type)
    select id, status::text::procrastinate_job_event_type from procrastinate_jobs
     where status in ('succeeded', 'failed', 'cancelled', 'aborted');
    return null;
end $$;

create or replace trigger app_queue_events after truncate on procrastinate_events for each statement
    execute function app_queue_events();
