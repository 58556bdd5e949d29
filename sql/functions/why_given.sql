-- What the API passes on as the reason of an act: there it may be left out, and the audit says so.
create or replace function why_given(p_reason text) returns text language sql immutable as $$
    select coalesce(nullif(btrim(p_reason, E' \t\r\n'), ''), 'no reason given')
$$;
