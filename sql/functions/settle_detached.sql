-- The worker stops while the run goes on in the automation service: a successor is deferred at once and will attach to it.
-- Counts as neither a failure nor an interruption. False: fenced.
create or replace function settle_detached(p_job uuid, p_attempt int) returns boolean language plpgsql as $$
begin
    if not close_attempt(p_job, p_attempt, 'detached', null) then
        return false;
    end if;
    update automation_job
       set state = 'queued', queued_at = clock_timestamp(), queue_job_id = queue_defer(p_job, 'automation', true)
     where id = p_job;
    return true;
end $$;
