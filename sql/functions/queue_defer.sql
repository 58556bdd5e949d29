-- A new queue row for a job, in the caller's transaction; the insert itself notifies the workers of that queue.
-- Rows that wait have a low priority, so that they never stand at the head of the fetch's index. A successor whose run goes
-- on at the automation service stands first: behind a backlog it would come too late for the run's gate.
create or replace function queue_defer(p_job uuid, p_queue text, p_first boolean default false)
returns bigint language sql volatile as $$
    select (procrastinate_defer_jobs_v1(array[row(
        p_queue, 'automation', case when p_queue = 'waiting' then -100 when p_first then 10 else 0 end, null, null,
        jsonb_build_object('automation_job_id', p_job), null)::procrastinate_job_to_defer_v1]))[1]
$$;
