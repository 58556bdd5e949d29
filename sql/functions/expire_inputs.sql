-- Questions that nobody answered in time, and answers that nobody came to use. Between two runs the job ends; a run that holds
-- its page open is ended by a short attempt first. Answers the seconds until the next one, null when none is open.
create or replace function expire_inputs() returns float8 language plpgsql as $$
declare
    late record;
    job automation_job;
begin
    for late in
        select id, job_id, run_input_id from automation_input
         where (outcome is null or outcome = 'answered') and expires_at <= clock_timestamp()
         order by expires_at limit 200
    loop
        job := try_lock_job(late.job_id);
        continue when job.id is null;
        update automation_input set outcome = 'expired', answer_cipher = null
         where id = late.id and (outcome is null or outcome = 'answered');
        continue when not found or job.state <> 'needs_input';
        if late.run_input_id is null then
            job := end_waiting(job, 'INPUT_EXPIRED', 'nobody answered in time');
        else
            update automation_job
               set state = 'queued', wait_reason = null, ready_at = null, queued_at = clock_timestamp()
             where id = job.id;
            update procrastinate_jobs set queue_name = 'automation', priority = 10
             where id = job.queue_job_id and status = 'todo';
        end if;
    end loop;
    return (select extract(epoch from min(expires_at) - clock_timestamp()) from automation_input
             where outcome is null or outcome = 'answered');
end $$;
