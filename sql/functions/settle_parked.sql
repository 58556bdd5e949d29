-- An attempt cannot go on without a person: the job waits in needs_input and occupies no worker. False: fenced.
create or replace function settle_parked(p_job uuid, p_attempt int, p_wait_reason text, p_error jsonb)
returns boolean language plpgsql as $$
begin
    if not close_attempt(p_job, p_attempt, 'parked', p_error) then
        return false;
    end if;
    update automation_job
       set state = 'needs_input', wait_reason = p_wait_reason, queue_job_id = queue_defer(p_job, 'waiting'),
           error_code = p_error ->> 'code', error_class = p_error ->> 'class',
           error_message = p_error ->> 'message', error_step = p_error ->> 'step'
     where id = p_job;
    -- The run is over; the answer is admitted again.
    perform promote(account) from free_slot(p_job) as account where account is not null;
    return true;
end $$;
