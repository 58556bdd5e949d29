-- A person lets a portal, or one account of it, go on; what it was paused for is taken to be mended, and its breaker closes.
-- Answers the number of accounts that were paused, or away from their portal; others are left alone, with the failures that they count.
-- Raises AB404.
create or replace function ops.resume_portal(p_portal text, p_reason text, p_account text default null) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    account uuid;
    changed int := 0;
begin
    perform set_config('asbuilt.reason', why, true);
    foreach account in array known_accounts(p_portal, p_account) loop
        update portal_account
           set paused_at = null, counts_from = clock_timestamp(), breaker_until = null, breaker_openings = 0, breaker_reason = null
         where id = account and (paused_at is not null or breaker_until is not null);
        changed := changed + found::int;
    end loop;
    perform set_config('asbuilt.reason', '', true);
    return changed;
end $$;
comment on function ops.resume_portal(text, text, text) is
    'Let a paused portal, or one account of it, go on, and close its breaker. Say why; it is kept. 0: none was paused or away.';
