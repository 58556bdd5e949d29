-- The portal has the record: attempt, submission and job end together. False: fenced.
create or replace function settle_completed(p_job uuid, p_attempt int, p_confirmation text, p_how text, p_portal_url text)
returns boolean language plpgsql as $$
begin
    if not close_attempt(p_job, p_attempt, 'completed', null) then
        return false;
    end if;
    insert into portal_submission (portal_key, external_ref, job_id, state, attempt, intent_at, confirmation, confirmed_by)
    select portal_key, external_ref, p_job, 'confirmed', p_attempt, clock_timestamp(), p_confirmation, p_how
      from automation_job join portal_account on portal_account.id = account_id where automation_job.id = p_job
    on conflict (portal_key, external_ref) do update
       set state = 'confirmed', confirmation = excluded.confirmation, confirmed_by = excluded.confirmed_by
     where portal_submission.state <> 'confirmed';
    update automation_job
       set state = 'completed', confirmation = p_confirmation, portal_url = p_portal_url, queue_job_id = null,
           finished_at = clock_timestamp()
     where id = p_job;
    return true;
end $$;
