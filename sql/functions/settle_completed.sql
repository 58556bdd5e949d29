-- The portal has the record: attempt, submission and job end together. False: fenced.
create or replace function settle_completed(p_job uuid, p_attempt int, p_confirmation text, p_how text, p_portal_url text)
returns boolean language plpgsql as $$
begin
    if not close_attempt(p_job, p_attempt, 'completed', null) then
        return false;
    end if;
    perform confirm_submission(p_job, p_attempt, p_confirmation, p_how);
    perform clear_rejections(p_job);
    update automation_job
       set state = 'completed', confirmation = p_confirmation, portal_url = p_portal_url, queue_job_id = null,
           finished_at = clock_timestamp()
     where id = p_job;
    return true;
end $$;
