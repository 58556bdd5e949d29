-- The last act of whatever frees a slot or widens a limit: free slots go to the next in line, and the workers are told.
-- The exclusive gate waits until no admission at this account is under way; what comes after it is a new statement, which sees
-- every job that waits. Answers the jobs that may run now.
create or replace function promote(p_account uuid) returns setof uuid language plpgsql as $$
declare
    a portal_account;
    room bigint;
    waiter record;
begin
    perform pg_advisory_xact_lock(727274003, hashtext(p_account::text));
    select * into a from portal_account where id = p_account;
    perform size_slots(a);
    if account_closed(a) is not null then
        return;
    end if;
    select count(*) into room from portal_slot as s
     where s.account_id = p_account and s.job_id is null
       and (a.breaker_until is null or s.n = (select min(n) from portal_slot where account_id = p_account));
    if room = 0 then
        return;
    end if;
    for waiter in select * from next_waiters(p_account, room) loop
        update portal_slot set job_id = waiter.job_id, taken_at = clock_timestamp()
         where account_id = p_account and n = (
            select n from portal_slot where account_id = p_account and job_id is null order by n limit 1 for update skip locked);
        exit when not found;
        update automation_job set wait_reason = null where id = waiter.job_id;
        perform queue_move(waiter.queue_row);
        return next waiter.job_id;
    end loop;
end $$;
