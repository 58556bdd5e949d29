-- Queue rows whose work was over before p_border, the oldest first. How it ended is what their last event says, as a row that was
-- set back by hand has ended more than once.
create or replace function due_queue_rows(p_outcome text, p_border timestamptz, p_most int) returns setof bigint
language plpgsql stable as $$
begin
    -- Two statements: each is a scan of the index that holds its outcome alone.
    if p_outcome = 'completed' then
        return query
            select e.job_id from procrastinate_events as e
              join procrastinate_jobs as q on q.id = e.job_id and q.status not in ('todo', 'doing')
             where e.type = 'succeeded' and e.at < p_border and not exists (
                select from procrastinate_events as later
                 where later.job_id = e.job_id and later.id > e.id and later.type in ('succeeded', 'failed', 'cancelled', 'aborted'))
             order by e.at limit p_most;
    else
        return query
            select e.job_id from procrastinate_events as e
              join procrastinate_jobs as q on q.id = e.job_id and q.status not in ('todo', 'doing')
             where e.type in ('failed', 'cancelled', 'aborted') and e.at < p_border and not exists (
                select from procrastinate_events as later
                 where later.job_id = e.job_id and later.id > e.id and later.type in ('succeeded', 'failed', 'cancelled', 'aborted'))
             order by e.at limit p_most;
    end if;
end $$;
