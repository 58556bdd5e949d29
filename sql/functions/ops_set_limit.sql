-- A person sets how many runs an account bears at once, and how many may start in a minute (0: as they come; not given: as it was).
-- Answers the number of accounts that it was another for. Raises AB404.
create or replace function ops.set_limit(p_portal text, p_max_runs int, p_reason text, p_account text default null,
                                         p_starts_per_minute float8 default null) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    accounts uuid[] := array(select id from portal_account where portal_key = p_portal and label = coalesce(p_account, label) order by id);
    starts constant float8 := nullif(p_starts_per_minute, 0);
    account uuid;
    changed int := 0;
begin
    perform set_config('asbuilt.reason', why, true);
    foreach account in array accounts loop
        update portal_account
           set max_runs = p_max_runs,
               starts_per_minute = case when p_starts_per_minute is null then starts_per_minute else starts end,
               -- Reckoned by the rate before.
               next_start_at = case when p_starts_per_minute is null or starts_per_minute is not distinct from starts then next_start_at end
         where id = account and (max_runs <> p_max_runs or p_starts_per_minute is not null and starts_per_minute is distinct from starts);
        changed := changed + found::int;
    end loop;
    perform set_config('asbuilt.reason', '', true);
    if accounts = '{}' then
        raise exception using errcode = 'AB404', message = format('there is no portal account %s', concat_ws('/', p_portal, p_account)),
            hint = 'select portal, account from ops.portals';
    end if;
    return changed;
end $$;
comment on function ops.set_limit(text, int, text, text, float8) is
    'Set the runs at once of a portal''s accounts or of one of them, and its starts a minute (0: any). Say why; it is kept.';
