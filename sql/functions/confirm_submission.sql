-- The portal has this job's record, under this number; who knows it: page, lookup or person. A number that stands is kept.
create or replace function confirm_submission(p_job uuid, p_attempt int, p_confirmation text, p_how text)
returns void language sql as $$
    insert into portal_submission (portal_key, external_ref, job_id, state, attempt, intent_at, confirmation, confirmed_by)
    select portal_key, external_ref, p_job, 'confirmed', p_attempt, clock_timestamp(), p_confirmation, p_how
      from automation_job join portal_account on portal_account.id = account_id where automation_job.id = p_job
    on conflict (portal_key, external_ref) do update
       set state = 'confirmed', confirmation = excluded.confirmation, confirmed_by = excluded.confirmed_by
     where portal_submission.state <> 'confirmed'
$$;
