-- Transaction A of the submission: the intent, stored before anything irreversible is authorised.
-- False: fenced, or an intent or a confirmation of this reference stands already; nothing may be submitted then.
create or replace function record_intent(p_job uuid, p_attempt int) returns boolean language plpgsql as $$
begin
    insert into portal_submission (portal_key, external_ref, job_id, state, attempt, intent_at)
    select portal_key, external_ref, j.id, 'intent', j.attempt, clock_timestamp()
      from automation_job as j join portal_account on portal_account.id = j.account_id
      join automation_attempt as a on a.job_id = j.id and a.attempt = j.attempt and a.ended_at is null
     where j.id = p_job and j.attempt = p_attempt and j.state = 'processing'
    on conflict (portal_key, external_ref) do update
       set state = 'intent', job_id = excluded.job_id, attempt = excluded.attempt, intent_at = excluded.intent_at,
           intents = portal_submission.intents + 1, looks = 0, evidence = null
     where portal_submission.state = 'absent';
    return found;
end $$;
