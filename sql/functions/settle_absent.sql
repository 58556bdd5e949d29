-- A look-up that worked has found nothing: the intent is taken back once the portal has had the time to show it. Both clocks
-- must say so: the service's, which tells when it looked, and ours. False: too early, or fenced.
create or replace function settle_absent(p_job uuid, p_attempt int, p_as_of timestamptz) returns boolean language plpgsql as $$
begin
    update portal_submission as s
       set state = 'absent', attempt = p_attempt, looks = 0, evidence = jsonb_build_object('looked_up', p_as_of, 'attempt', p_attempt)
      from automation_attempt as a, portal as p
     where s.job_id = p_job and s.state = 'intent' and p.key = s.portal_key
       and least(p_as_of, clock_timestamp()) > s.intent_at + make_interval(secs => p.settle_s)
       and coalesce(s.evidence ->> 'code', '') <> 'DUPLICATE_REFERENCE'
       and a.job_id = p_job and a.attempt = p_attempt and a.ended_at is null;
    return found;
end $$;
