-- The last act of whatever makes a job ready, under its lock: it is queued and may run now, or waits for what it still needs.
-- True: it may run. A job that has its slot already keeps it.
create or replace function admit(p_job uuid) returns boolean language plpgsql as $$
declare
    job automation_job := (select j from automation_job as j where id = p_job);
    reason text := take_slot(job.account_id, p_job);
begin
    if job.state <> state_waiting(reason) or job.wait_reason is distinct from reason then
        update automation_job
           set state = state_waiting(reason), wait_reason = reason, ready_at = null,
               queued_at = case when job.state = 'queued' then queued_at else clock_timestamp() end
         where id = p_job;
    end if;
    if reason is null then
        perform queue_move(job.queue_job_id);
    else
        update procrastinate_jobs set queue_name = 'waiting', priority = -100
         where id = job.queue_job_id and status = 'todo' and queue_name <> 'waiting';
    end if;
    return reason is null;
end $$;
