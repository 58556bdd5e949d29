-- Attempts of jobs that are over, which ended so before p_border and of which pictures or logs (p_what) are still kept.
create or replace function due_attempts(p_what text, p_outcome text, p_border timestamptz, p_most int)
returns table (job_id uuid, attempt int) language plpgsql stable as $$
declare
    one text;
    found int;
    lacking int := p_most;
begin
    -- One outcome at a time, the oldest first: that is the order of the index, and no reason to read the table instead.
    foreach one in array case p_outcome when 'completed' then '{completed}'::text[]
                                        else '{failed,lost,detached,parked,cancelled}' end loop
        if p_what = 'picture' then
            return query
                select a.job_id, a.attempt from automation_attempt as a join automation_job as j on j.id = a.job_id
                 where a.pictures_kept and a.outcome = one and a.ended_at < p_border
                   and j.state in ('completed', 'failed', 'cancelled') order by a.ended_at limit lacking;
        else
            return query
                select a.job_id, a.attempt from automation_attempt as a join automation_job as j on j.id = a.job_id
                 where a.log_kept and a.outcome = one and a.ended_at < p_border
                   and j.state in ('completed', 'failed', 'cancelled') order by a.ended_at limit lacking;
        end if;
        get diagnostics found = row_count;
        lacking := lacking - found;
        exit when lacking <= 0;
    end loop;
end $$;
