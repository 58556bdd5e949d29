-- What a claim asks, under the job's lock: may its run start now? Null: yes, or it has begun long ago. Else what it waits for;
-- the account was paused, its breaker has opened or its limit was lowered since the job was admitted.
create or replace function recheck_slot(job automation_job) returns text language plpgsql as $$
declare
    a portal_account;
    held portal_slot;
    reason text;
begin
    select * into a from portal_account where id = job.account_id;
    select * into held from portal_slot where job_id = job.id;
    -- A run that may be in the portal is followed to its end, whatever has happened to the account meanwhile.
    if held.run_at is not null then
        return null;
    elsif held.job_id is not null and (select count(*) from portal_slot where account_id = a.id) > a.max_runs then
        delete from portal_slot where account_id = a.id and n = held.n;
        return 'slot';
    elsif held.job_id is not null and (account_closed(a) is not null or a.breaker_until is not null
            and held.n > (select min(n) from portal_slot where account_id = a.id)) then
        perform free_slot(job.id);
    end if;
    reason := take_slot(a.id, job.id);
    if reason is null then
        update portal_slot set run_at = clock_timestamp() where job_id = job.id;
    end if;
    return reason;
end $$;
