-- The automation service, or the portal, positively says that nothing was submitted: the intent is taken back.
create or replace function refute_intent(p_job uuid, p_attempt int, p_evidence jsonb) returns void language sql as $$
    update portal_submission as s set state = 'absent', attempt = p_attempt, looks = 0, evidence = p_evidence
      from automation_attempt as a
     where s.job_id = p_job and s.state = 'intent'
       and a.job_id = p_job and a.attempt = p_attempt and a.ended_at is null
$$;
