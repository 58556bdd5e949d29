-- Make a waiting queue row runnable now. Procrastinate notifies on INSERT only, so the notification is sent here.
create or replace function queue_move(p_queue_job bigint) returns void language plpgsql as $$
declare
    payload text := json_build_object('type', 'job_inserted', 'job_id', p_queue_job)::text;
begin
    update procrastinate_jobs set queue_name = 'automation', priority = 0
     where id = p_queue_job and status = 'todo';
    perform pg_notify('procrastinate_queue_v1#automation', payload);
    perform pg_notify('procrastinate_any_queue_v1', payload);
end $$;
