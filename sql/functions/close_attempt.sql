-- Close an open attempt, under its job's lock. False: it is not open any more, the caller is fenced and changes nothing.
create or replace function close_attempt(p_job uuid, p_attempt int, p_outcome text, p_error jsonb)
returns boolean language plpgsql as $$
begin
    perform lock_job(p_job);
    update automation_attempt
       set ended_at = clock_timestamp(), outcome = p_outcome, error_code = p_error ->> 'code',
           error_class = p_error ->> 'class', error_message = p_error ->> 'message', error_step = p_error ->> 'step',
           error_action = p_error ->> 'action', traceback = p_error ->> 'traceback'
     where job_id = p_job and attempt = p_attempt and ended_at is null;
    if not found then
        return false;
    end if;
    update automation_step set state = 'failed', ended_at = clock_timestamp()
     where job_id = p_job and attempt = p_attempt and state = 'running';
    return true;
end $$;
