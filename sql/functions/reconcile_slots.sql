-- Slots that are nobody's any more, and free slots beside jobs that wait, as a lost promotion or an edit by hand leaves them.
-- The last part of a sweep: it takes the gates of the accounts, in one order.
create or replace function reconcile_slots() returns table (kind text, job_id uuid) language plpgsql as $$
declare
    a portal_account;
begin
    return query
    with idle as (
        select s.account_id, s.n, s.job_id from portal_slot as s
          -- One look-up a slot: a table as small as this one has no statistics, and with a guess all jobs would be read.
          left join lateral (select id, state, wait_reason from automation_job where id = s.job_id limit 1) as j on true
         where s.job_id is not null
           and (j.id is null or j.state in ('completed', 'failed', 'cancelled')
                or j.state = 'needs_input' and j.wait_reason = 'outcome_unknown'
                or s.run_at is null and (j.state in ('held', 'awaiting_media') or j.wait_reason in ('slot', 'breaker')))
         limit 200 for update of s skip locked)
    update portal_slot as s set job_id = null, taken_at = null, run_at = null
      from idle where s.account_id = idle.account_id and s.n = idle.n
    returning 'slot', idle.job_id;
    for a in
        select * from portal_account as p
         where account_closed(p) is null
           and (exists (select from portal_slot as s where s.account_id = p.id and s.job_id is null)
                or p.max_runs > (select count(*) from portal_slot as s where s.account_id = p.id))
           and (exists (select from automation_job as j
                         where j.account_id = p.id and j.state = 'queued' and j.wait_reason is not null)
                or exists (select from automation_job as j
                            where j.account_id = p.id and j.state = 'held' and j.wait_reason in ('paused', 'login', 'recipe_paused')))
         order by p.id
    loop
        perform restate_waiters(a);
        return query select 'waiter', moved from promote(a.id) as moved;
    end loop;
    -- Those for whom a pause came too suddenly to be told.
    for a in
        select * from portal_account as p
         where p.paused_at is not null and exists (
            select from automation_job as j where j.account_id = p.id and j.state = 'queued' and j.wait_reason is not null)
         order by p.id
    loop
        perform restate_waiters(a);
    end loop;
end $$;
