-- Retry by a person, from psql, the API or the dashboard alike: a fresh budget, a new queue row, one audit row.
-- On a job that is retrying it means "now". Raises AB404 (no such job) and AB409 (not from this state).
create or replace function ops.retry(p_job uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    job automation_job := known_job(p_job);
    before jsonb := job_view(job);
    reason text;
begin
    if job.state in ('failed', 'cancelled') then
        job := restart_job(job);
    elsif job.state = 'retrying' then
        reason := take_slot(job.account_id, p_job);
        update automation_job
           set state = state_waiting(reason), failures = 0, interruptions = 0, queued_at = clock_timestamp(), ready_at = null,
               wait_reason = reason, down_since = null
         where id = p_job returning * into job;
        if reason is null then
            perform queue_move(job.queue_job_id);
        else
            -- It was due, and a worker was about to fetch it.
            update procrastinate_jobs set queue_name = 'waiting', priority = -100
             where id = job.queue_job_id and status = 'todo' and queue_name <> 'waiting';
        end if;
    else
        raise exception using errcode = 'AB409', message = format('a job that is %s cannot be retried', job.state),
            hint = case job.state when 'completed' then format('the portal has it; select ops.run_again(%L, ''why'') keys it once more', p_job)
                                  else 'only failed, cancelled and retrying jobs can' end;
    end if;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'job.retry', why, job.project_id, job.record_id, p_job, before, job_view(job));
    return job_view(job);
end $$;
comment on function ops.retry(uuid, text) is
    'Run a failed, cancelled or waiting-to-retry job now, with a fresh budget of attempts. Give the reason; it is kept.';
