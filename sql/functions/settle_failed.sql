-- An attempt failed. What it spends: an attempt of the job's budget, an interruption (three in a row end the job), or
-- nothing. While the budget lasts and p_again, the next attempt is deferred, due after p_wait_s seconds and up to half as many more, or by default after
-- a back-off of full jitter: between half and all of p_base_s * 4^(failures so far, at most 4). All on the database's clock.
-- A rejected login holds the job with all others of its account. A portal that says when to come back is waited for, at no cost,
-- for a day; then an operator decides. What the failure means for the whole account is told to it first.
-- p_run_over: the service's run is known to have ended, so the next attempt starts a new one instead of attaching.
-- Answers the job's state; null: fenced.
create or replace function settle_failed(p_job uuid, p_attempt int, p_error jsonb, p_again boolean, p_spends text,
                              p_run_over boolean, p_base_s float8, p_wait_s float8)
returns text language plpgsql as $$
declare
    job automation_job;
    wait_s float8;
    down boolean := coalesce(p_error ->> 'class' = 'portal_down', false);
begin
    if not close_attempt(p_job, p_attempt, 'failed', p_error) then
        return null;
    end if;
    select * into job from automation_job where id = p_job;
    perform portal_trouble(job.account_id, p_error);
    -- Never earlier than told, and not all at once.
    wait_s := coalesce(p_wait_s * (1 + random() / 2), p_base_s * 4 ^ least(job.failures, 4) * (0.5 + random() / 2));
    job.failures := job.failures + (p_spends = 'attempt')::int;
    job.interruptions := job.interruptions + (p_spends = 'interruption')::int;
    job.down_since := case when down then coalesce(job.down_since, clock_timestamp()) end;
    job.state := case when p_error ->> 'class' = 'login_failed' or job.down_since < clock_timestamp() - interval '24 hours'
                      then 'held'
                      when p_again and job.failures < job.max_attempts and job.interruptions < 3
                      then 'retrying' else 'failed' end;
    -- "failed" always means "not submitted": an intent that nobody has refuted is for a person to look into.
    if job.state = 'failed' and exists (select from portal_submission where job_id = p_job and state = 'intent') then
        job.state := 'needs_input';
    end if;
    update automation_job
       set state = job.state, failures = job.failures, interruptions = job.interruptions,
           generation = generation + p_run_over::int, down_since = job.down_since,
           error_code = p_error ->> 'code', error_class = p_error ->> 'class',
           error_message = p_error ->> 'message', error_step = p_error ->> 'step',
           wait_reason = case when job.state = 'needs_input' then 'outcome_unknown' when job.state = 'failed' then null
                              when down then 'portal_down' when job.state = 'held' then 'login' else 'backoff' end,
           ready_at = case job.state when 'retrying' then clock_timestamp() + make_interval(secs => wait_s) end,
           queue_job_id = case when job.state <> 'failed' then queue_defer(p_job, 'waiting') end,
           finished_at = case job.state when 'failed' then clock_timestamp() end
     where id = p_job;
    return job.state;
end $$;
