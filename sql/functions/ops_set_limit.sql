-- A person sets how many runs an account bears at once, and how many may start in a minute (0: as they come; not given: as it was).
-- Answers the number of accounts. Raises AB404.
create or replace function ops.set_limit(p_portal text, p_max_runs int, p_reason text, p_account text default null,
                                         p_starts_per_minute float8 default null) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    account uuid;
    done int := 0;
begin
    perform set_config('asbuilt.reason', why, true);
    for account in select id from portal_account
                    where portal_key = p_portal and label = coalesce(p_account, label) order by id loop
        update portal_account set max_runs = p_max_runs,
               starts_per_minute = nullif(coalesce(p_starts_per_minute, starts_per_minute), 0),
               next_start_at = case when p_starts_per_minute is null then next_start_at end
         where id = account;
        done := done + 1;
    end loop;
    perform set_config('asbuilt.reason', '', true);
    if done = 0 then
        raise exception using errcode = 'AB404', message = format('there is no portal account %s', concat_ws('/', p_portal, p_account));
    end if;
    return done;
end $$;
comment on function ops.set_limit(text, int, text, text, float8) is
    'Set the runs at once of a portal''s accounts or of one of them, and its starts a minute (0: any). Say why; it is kept.';
