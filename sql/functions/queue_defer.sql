-- A new queue row for a job, in the caller's transaction; the insert itself notifies the workers of that queue.
-- Rows that wait have a low priority, so that they never stand at the head of the fetch's index.
create or replace function queue_defer(p_job uuid, p_queue text) returns bigint language sql volatile as $$
    select (procrastinate_defer_jobs_v1(array[row(
        p_queue, 'automation', case p_queue when 'waiting' then -100 else 0 end, null, null,
        jsonb_build_object('automation_job_id', p_job), null)::procrastinate_job_to_defer_v1]))[1]
$$;
