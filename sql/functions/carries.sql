-- Whether a queue row brings its job to a worker.
create or replace function carries(q procrastinate_jobs, p_job uuid) returns boolean language sql immutable as $$
    select coalesce(q.status in ('todo', 'doing') and q.args ->> 'automation_job_id' = p_job::text, false)
$$;
