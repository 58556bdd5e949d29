-- The portal does its work: earlier failures are forgotten, and an open or probing breaker closes.
create or replace function portal_answered(p_account uuid) returns void language sql as $$
    update portal_account
       set counts_from = clock_timestamp(), breaker_until = null, breaker_openings = 0, breaker_reason = null
     where id = p_account
       -- Not at every record: the row is everybody's.
       and (breaker_until is not null or counts_from < clock_timestamp() - interval '5 s')
$$;
