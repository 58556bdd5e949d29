-- The run of a cancelled job has stopped. False: fenced.
create or replace function settle_cancelled(p_job uuid, p_attempt int) returns boolean language plpgsql as $$
begin
    if not close_attempt(p_job, p_attempt, 'cancelled', null) then
        return false;
    end if;
    -- A run that was cancelled has submitted nothing, whatever was intended.
    update portal_submission set state = 'absent', evidence = jsonb_build_object('cancelled', p_attempt)
     where job_id = p_job and state = 'intent';
    update automation_job
       set state = 'cancelled', queue_job_id = null, finished_at = clock_timestamp(), cancel_requested_at = null,
           generation = generation + 1
     where id = p_job;
    return true;
end $$;
