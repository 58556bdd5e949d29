-- The queue that a live job's queue row belongs in.
create or replace function place_of(p_state text, p_wait_reason text) returns text language sql immutable as $$
    select case when p_state = 'queued' and p_wait_reason is null then 'automation' else 'waiting' end
$$;
