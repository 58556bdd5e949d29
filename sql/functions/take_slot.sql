-- Admission: a slot of the account for this job, without waiting for anybody. Null: the job has one; else what it waits for.
-- The caller holds the job locked, or has not stored it yet, and ends soon: the shared gate is held until its commit.
--
-- Without the gate a settle that frees a slot at the same time would not see the job that this transaction is about to store,
-- and leave a free slot beside a job that waits.
create or replace function take_slot(p_account uuid, p_job uuid) returns text language plpgsql as $$
declare
    a portal_account;
begin
    perform pg_advisory_xact_lock_shared(727274003, hashtext(p_account::text));
    select * into a from portal_account where id = p_account;
    if exists (select from portal_slot where job_id = p_job) then
        return null;
    elsif account_closed(a) is not null then
        return account_closed(a);
    end if;
    update portal_slot set job_id = p_job, taken_at = clock_timestamp()
     where account_id = p_account and n = (
        select s.n from portal_slot as s
         where s.account_id = p_account and s.job_id is null
           -- Half-open: the first slot only, so that one job probes.
           and (a.breaker_until is null or s.n = (select min(n) from portal_slot where account_id = p_account))
         order by s.n limit 1 for update skip locked);
    return case when found then null when a.breaker_until is null then 'slot' else 'breaker' end;
end $$;
