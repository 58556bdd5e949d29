-- A worker was lost under a job. It is queued again at once, unless this is the third loss in a row without a newly
-- confirmed step: then the job kills its workers and has failed. With an intent open it is claimed once more, as spent, to be
-- looked up instead of keyed again; if that takes its worker down too, a person is asked.
create or replace function interrupt(job automation_job, p_progressed boolean) returns void language plpgsql as $$
declare
    lost int := case when p_progressed then 1 else job.interruptions + 1 end;
    unknown boolean := exists (select from portal_submission where job_id = job.id and state = 'intent');
begin
    if lost < 3 or lost = 3 and unknown then
        update automation_job
           set state = 'queued', interruptions = lost, wait_reason = null, ready_at = null, queued_at = clock_timestamp(),
               queue_job_id = queue_defer(job.id, 'automation', true)
         where id = job.id;
    else
        update automation_job
           set state = case when unknown then 'needs_input' else 'failed' end, interruptions = lost,
               error_code = 'WORKER_CRASH', error_class = 'worker_crash', error_step = null,
               error_message = 'workers were lost three times in a row while they ran this job', ready_at = null,
               wait_reason = case when unknown then 'outcome_unknown' end,
               queue_job_id = case when unknown then queue_defer(job.id, 'waiting') end,
               finished_at = case when not unknown then clock_timestamp() end
         where id = job.id;
    end if;
end $$;
