-- Whether a failure is the portal's own, so that every other job would meet it too. That our own service is full, or that we
-- ask too often, is not.
create or replace function portal_wide(p_code text, p_class text) returns boolean language sql immutable as $$
    select p_code in ('PORTAL_UNREACHABLE', 'PORTAL_ERROR', 'PORTAL_TIMEOUT')
        or p_class = 'portal_down' and p_code not in ('SLOT_BUSY', 'RATE_LIMITED')
$$;
