-- Let the first job in line probe each portal whose breaker has been open for long enough.
create or replace function promote_probes() returns void language plpgsql as $$
declare
    account uuid;
begin
    for account in
        select a.id from portal_account as a
         where a.breaker_until <= clock_timestamp() and a.paused_at is null
           and exists (select from automation_job as w where w.account_id = a.id and w.state = 'queued' and w.wait_reason is not null)
           and exists (select from portal_slot as s where s.account_id = a.id and s.job_id is null
                          and s.n = (select min(n) from portal_slot where account_id = a.id))
         order by a.id
    loop
        perform promote(account);
    end loop;
end $$;
