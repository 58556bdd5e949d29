-- The next jobs in line at an account, locked with their queue rows; one that somebody else holds is passed over. A priority
-- given by hand comes first, then whoever has been ready longest; one that was put off by hand waits for its time.
create or replace function next_waiters(p_account uuid, p_room bigint) returns table (job_id uuid, queue_row bigint)
language plpgsql as $$
declare
    raised bigint;
begin
    return query
    select j.id, q.id from procrastinate_jobs as q join automation_job as j on j.queue_job_id = q.id
     where q.status = 'todo' and q.priority > -100 and q.queue_name = 'waiting'
       and j.account_id = p_account and j.state = 'queued' and j.wait_reason is not null
       and coalesce(q.scheduled_at <= clock_timestamp(), true)
     order by q.priority desc, j.queued_at, j.id limit p_room for update of q, j skip locked;
    get diagnostics raised = row_count;
    if raised < p_room then
        return query
        select j.id, q.id from automation_job as j join procrastinate_jobs as q on q.id = j.queue_job_id
         where j.account_id = p_account and j.state = 'queued' and j.wait_reason is not null
           and q.status = 'todo' and q.priority <= -100 and q.queue_name = 'waiting'
           and coalesce(q.scheduled_at <= clock_timestamp(), true)
         order by j.queued_at, j.id limit p_room - raised for update of q, j skip locked;
    end if;
end $$;
