-- End a job that waits for a person, under its lock: nothing was submitted, and a person may retry it.
create or replace function end_waiting(job automation_job, p_code text, p_message text) returns automation_job language plpgsql as $$
declare
    ended automation_job;
begin
    update automation_job
       set state = 'failed', wait_reason = null, ready_at = null, queue_job_id = null, finished_at = clock_timestamp(),
           error_code = p_code, error_class = 'needs_human', error_message = p_message, error_step = null
     where id = job.id returning * into ended;
    -- After the job has let go of it, so that this is no edit by hand.
    update procrastinate_jobs set status = 'cancelled' where id = job.queue_job_id and status = 'todo';
    return ended;
end $$;
