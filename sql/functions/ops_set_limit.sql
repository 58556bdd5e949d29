-- A person sets how many runs an account bears at once, and how many may start in a minute (0: as they come; not given: as it was).
-- Answers the number of accounts that it was another for. Raises AB404 and AB422.
create or replace function ops.set_limit(p_portal text, p_max_runs int, p_reason text, p_account text default null,
                                         p_starts_per_minute float8 default null) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    starts constant float8 := nullif(p_starts_per_minute, 0);
    account uuid;
    changed int := 0;
begin
    if p_max_runs between 1 and 1000 is not true or p_starts_per_minute not between 0 and 100000 then
        raise exception using errcode = 'AB422', message = format('an account bears no %s', concat_ws(' runs and ', p_max_runs, p_starts_per_minute)),
            hint = 'runs: 1 to 1000; starts a minute: 0 (any) to 100000; ops.pause_portal lets none start';
    end if;
    perform set_config('asbuilt.reason', why, true);
    foreach account in array known_accounts(p_portal, p_account) loop
        update portal_account
           set max_runs = p_max_runs,
               starts_per_minute = case when p_starts_per_minute is null then starts_per_minute else starts end,
               -- Reckoned by the rate before.
               next_start_at = case when p_starts_per_minute is null or starts_per_minute is not distinct from starts then next_start_at end
         where id = account and (max_runs <> p_max_runs or p_starts_per_minute is not null and starts_per_minute is distinct from starts);
        changed := changed + found::int;
    end loop;
    perform set_config('asbuilt.reason', '', true);
    return changed;
end $$;
comment on function ops.set_limit(text, int, text, text, float8) is
    'Set the runs at once of a portal''s accounts or of one of them, and its starts a minute (0: any). Say why; it is kept. 0: they were so already.';
