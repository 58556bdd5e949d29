-- Whether a run of this locked job may be under way: it keys what it was given when it began.
create or replace function under_way(job automation_job) returns boolean language sql stable as $$
    select job.state = 'processing'
        or exists (select from portal_submission where external_ref = job.external_ref and state = 'intent')
        or exists (select from automation_run where job_id = job.id and generation = job.generation)
        -- Its run may have been begun without our having heard so.
        or exists (select from automation_attempt as t where t.job_id = job.id and t.attempt = job.attempt
                      and t.attempt > job.attempts_before and t.outcome in ('lost', 'detached'))
$$;
