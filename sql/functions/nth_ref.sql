-- The reference of a record's n-th submission. Each has one of its own: a look-up by the first one would find the first entry, and take
-- it for the second.
create or replace function nth_ref(p_reference text, p_times int) returns text language sql immutable parallel safe as $$
    select case when p_times > 1 then p_reference || '-' || p_times else p_reference end
$$;
