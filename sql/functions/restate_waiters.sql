-- The jobs that wait at an account say for what: its limit, its breaker, or whoever paused it. A batch at a time; the sweep
-- says it of the rest. Nothing depends on it but what people read, and that held ones come back.
create or replace function restate_waiters(a portal_account) returns void language plpgsql as $$
declare
    reason text := coalesce(account_closed(a), case when a.breaker_until is not null then 'breaker' else 'slot' end);
    mine text := current_setting('asbuilt.locked_job', true);
    waiter record;
begin
    for waiter in
        select j.id from automation_job as j join procrastinate_jobs as q on q.id = j.queue_job_id
         where j.account_id = a.id and j.wait_reason <> reason
           and (j.state = 'queued' or j.state = 'held' and j.wait_reason in ('paused', 'login', 'recipe_paused'))
         order by j.queued_at limit 500 for update of q, j skip locked
    loop
        perform set_config('asbuilt.locked_job', waiter.id::text, true);
        update automation_job
           set state = state_waiting(reason), wait_reason = reason, queued_at = coalesce(queued_at, clock_timestamp())
         where id = waiter.id;
    end loop;
    -- The job that the caller is about to settle.
    perform set_config('asbuilt.locked_job', coalesce(mine, ''), true);
end $$;
