-- Attempts whose lease has run out: closed as lost, their jobs queued again.
create or replace function reconcile_lost() returns setof uuid language plpgsql as $$
declare
    expired record;
    job automation_job;
begin
    for expired in
        select a.job_id, a.attempt, a.waits from automation_attempt as a
         where a.ended_at is null and a.lease_until < clock_timestamp() order by a.lease_until limit 200
    loop
        job := try_lock_job(expired.job_id);
        continue when job.id is null;
        update automation_attempt set ended_at = clock_timestamp(), outcome = 'lost'
         where automation_attempt.job_id = expired.job_id and attempt = expired.attempt and ended_at is null
           and lease_until < clock_timestamp();
        continue when not found;
        update automation_step set state = 'failed', ended_at = clock_timestamp()
         where automation_step.job_id = job.id and attempt = expired.attempt and state = 'running';
        -- Its queue row is spent; should the worker come back, it finishes a row that is nobody's.
        update procrastinate_jobs set status = 'aborted', attempts = attempts + 1
         where id = job.queue_job_id and status = 'doing';
        if expired.waits and (select count(*) from automation_attempt as a
                               where a.job_id = job.id and a.attempt > greatest(expired.attempt - 3, job.attempts_before)
                                 and a.waits and a.outcome = 'lost') < 3 then
            -- It was to run alone and had not begun, so it did nothing to its worker. Three times in a row is no accident.
            update automation_job
               set state = 'queued', wait_reason = null, ready_at = null, queued_at = clock_timestamp(),
                   queue_job_id = queue_defer(job.id, 'automation', true)
             where id = job.id;
            return next job.id;
            continue;
        end if;
        perform interrupt(job, exists (
            select from automation_step as s
             where s.job_id = job.id and s.attempt = expired.attempt and s.state = 'confirmed'
               and not exists (select from automation_step as e where e.job_id = s.job_id and e.key = s.key
                                  and e.attempt < s.attempt and e.attempt > job.attempts_before and e.state = 'confirmed')));
        return next job.id;
    end loop;
end $$;
