-- As many slots as the account's limit says, under its exclusive gate. Taken ones above the limit go when they are freed.
create or replace function size_slots(a portal_account) returns void language plpgsql as $$
declare
    have int := (select count(*) from portal_slot where account_id = a.id);
begin
    if have > a.max_runs then
        delete from portal_slot where account_id = a.id and n in (
            select n from portal_slot where account_id = a.id and job_id is null
             order by n desc limit have - a.max_runs for update skip locked);
    elsif have < a.max_runs then
        insert into portal_slot (account_id, n)
        select a.id, g.n from generate_series(1, a.max_runs + have) as g (n)
         where not exists (select from portal_slot as s where s.account_id = a.id and s.n = g.n)
         order by g.n limit a.max_runs - have;
    end if;
end $$;
