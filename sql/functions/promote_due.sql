-- Admit every due retry. Answers the seconds until something is due again: a retry, or the probe of a portal whose breaker is
-- open; null when nothing waits. Accounts in one order, as everywhere.
create or replace function promote_due() returns float8 language plpgsql as $$
declare
    due record;
    job automation_job;
    reason text;
begin
    for due in
        select q.id as queue_row, ripe.id
          from (select j.id, j.queue_job_id, j.account_id, j.ready_at
                  from automation_job as j join procrastinate_jobs as w on w.id = j.queue_job_id
                 where j.state = 'retrying' and j.ready_at <= clock_timestamp() and w.queue_name = 'waiting' and w.status = 'todo'
                 order by j.ready_at limit 500) as ripe
          join procrastinate_jobs as q on q.id = ripe.queue_job_id and q.queue_name = 'waiting' and q.status = 'todo'
         order by ripe.account_id, ripe.ready_at
           for update of q skip locked
    loop
        -- The queue row is ours now; its job is taken only if nobody else is at it.
        select * into job from automation_job
         where id = due.id and queue_job_id = due.queue_row and state = 'retrying' for update skip locked;
        continue when not found;
        reason := take_slot(job.account_id, job.id);
        if reason is null then
            perform queue_move(due.queue_row);
        else
            perform set_config('asbuilt.locked_job', job.id::text, true);
            update automation_job
               set state = state_waiting(reason), wait_reason = reason, queued_at = job.ready_at, ready_at = null
             where id = job.id;
        end if;
    end loop;
    return (select extract(epoch from least(
        (select min(j.ready_at) from automation_job as j join procrastinate_jobs as q on q.id = j.queue_job_id
          where j.state = 'retrying' and q.queue_name = 'waiting'),
        (select min(a.breaker_until) from portal_account as a
          where a.breaker_until > clock_timestamp() and a.paused_at is null and exists (
            select from automation_job as w where w.account_id = a.id and w.state = 'queued' and w.wait_reason is not null)))
        - clock_timestamp()));
end $$;
