-- The state of a job that is ready but for this reason: in line, or held until somebody does something.
create or replace function state_waiting(p_reason text) returns text language sql immutable as $$
    select case when p_reason is null or p_reason in ('slot', 'breaker') then 'queued' else 'held' end
$$;
