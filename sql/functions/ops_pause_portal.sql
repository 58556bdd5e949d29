-- A person pauses a portal, or one account of it: runs that have begun go on, no other starts. Answers the number of accounts.
-- Raises AB404.
create or replace function ops.pause_portal(p_portal text, p_reason text, p_account text default null) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    account uuid;
    done int := 0;
begin
    -- One that the session has set is of something else.
    perform set_config('asbuilt.reason', why, true);
    foreach account in array known_accounts(p_portal, p_account) loop
        update portal_account
           set paused_at = clock_timestamp(), paused_by = actor(), paused_reason = why, paused_as = 'paused'
         where id = account;
        done := done + 1;
    end loop;
    perform set_config('asbuilt.reason', '', true);
    return done;
end $$;
comment on function ops.pause_portal(text, text, text) is
    'Start no more runs at a portal, or at one account of it, until ops.resume_portal. Say why; it is kept.';
