-- Attempts of jobs that are over, which ended so before p_border and of which pictures or logs (p_what) are still kept.
create or replace function due_attempts(p_what text, p_outcome text, p_border timestamptz, p_most int)
returns table (job_id uuid, attempt int) language plpgsql stable as $$
declare
    outcomes constant text[] := case p_outcome when 'completed' then '{completed}'::text[]
                                               else '{failed,lost,detached,parked,cancelled}' end;
begin
    -- Two statements: each is a scan of the index of what it asks for.
    if p_what = 'picture' then
        return query
            select a.job_id, a.attempt from automation_attempt as a join automation_job as j on j.id = a.job_id
             where a.pictures_kept and a.ended_at < p_border and a.outcome = any(outcomes)
               and j.state in ('completed', 'failed', 'cancelled') limit p_most;
    else
        return query
            select a.job_id, a.attempt from automation_attempt as a join automation_job as j on j.id = a.job_id
             where a.log_kept and a.ended_at < p_border and a.outcome = any(outcomes)
               and j.state in ('completed', 'failed', 'cancelled') limit p_most;
    end if;
end $$;
