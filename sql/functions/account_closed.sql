-- Why no run may start at an account now; null when one may. A half-open breaker lets one at a time, so it is not closed.
create or replace function account_closed(a portal_account) returns text language sql stable as $$
    select case when a.paused_at is not null then a.paused_as when a.breaker_until > clock_timestamp() then 'breaker' end
$$;
