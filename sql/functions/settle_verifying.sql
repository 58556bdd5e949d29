-- Nobody knows yet whether the portal has taken the record in. The job waits in retrying, holding no worker, and is looked up
-- again after 1, 3, 6, 12 ... p_look_s seconds, at the latest when "there is none" can be believed. A person is asked when
-- nothing can tell (p_blind), when it has taken p_verify_s seconds, or when the portal called a record double that it cannot find.
-- p_spends: what the failure that opened the question costs ('attempt', 'interruption' or 'nothing'); the waiting costs nothing.
-- p_run_over: the run is known to have ended. Answers the job's state; null: fenced.
create or replace function settle_verifying(p_job uuid, p_attempt int, p_error jsonb, p_spends text, p_run_over boolean,
                                            p_blind boolean, p_look_s float8, p_verify_s float8)
returns text language plpgsql as $$
declare
    job automation_job;
    intent portal_submission;
    portal portal;
    said jsonb := case when p_error ->> 'code' <> 'SUBMIT_OUTCOME_UNKNOWN'
                       then jsonb_build_object('code', p_error ->> 'code') else '{}' end;
    settled_at timestamptz;
    ask boolean;
    due timestamptz;
begin
    if not close_attempt(p_job, p_attempt, case when p_blind then 'parked' else 'failed' end, p_error) then
        return null;
    end if;
    select * into job from automation_job where id = p_job;
    select p.* into portal from portal_account as a join portal as p on p.key = a.portal_key where a.id = job.account_id;
    -- What the portal calls a double may have been keyed by anybody: from now on it is treated as sent.
    insert into portal_submission as s (portal_key, external_ref, job_id, state, attempt, intent_at, evidence)
    values (portal.key, job.external_ref, p_job, 'intent', p_attempt, clock_timestamp(), said)
    on conflict (portal_key, external_ref) do update
       set state = 'intent', job_id = p_job, looks = case s.state when 'intent' then s.looks + 1 else 0 end,
           intent_at = case s.state when 'intent' then s.intent_at else excluded.intent_at end,
           evidence = case s.state when 'intent' then coalesce(s.evidence, '{}') else '{}' end || said
     where s.state <> 'confirmed'
    returning * into intent;
    due := clock_timestamp() + make_interval(secs => p_look_s * case intent.looks
        when 0 then 1 when 1 then 3 when 2 then 6 when 3 then 12 when 4 then 24 else 60 end);
    settled_at := intent.intent_at + make_interval(secs => portal.settle_s);
    due := least(due, greatest(settled_at, clock_timestamp() + make_interval(secs => p_look_s)));
    ask := p_blind or clock_timestamp() > intent.intent_at + make_interval(secs => p_verify_s)
        or intent.evidence ->> 'code' is not distinct from 'DUPLICATE_REFERENCE' and clock_timestamp() > settled_at;
    update automation_job
       set state = case when ask then 'needs_input' else 'retrying' end,
           wait_reason = case when ask then 'outcome_unknown' else 'verifying' end,
           ready_at = case when not ask then due end,
           generation = generation + p_run_over::int,
           failures = least(failures + (p_spends = 'attempt')::int, max_attempts),
           interruptions = interruptions + (p_spends = 'interruption')::int,
           error_code = p_error ->> 'code', error_class = p_error ->> 'class',
           error_message = p_error ->> 'message', error_step = p_error ->> 'step',
           queue_job_id = queue_defer(p_job, 'waiting')
     where id = p_job returning * into job;
    return job.state;
end $$;
