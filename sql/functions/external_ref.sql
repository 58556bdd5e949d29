-- Our reference for a record at the portal: 50 bits of its uuid's hash in an alphabet without I, L, O, U. p_try above 0 is
-- for the one record in a great many whose reference another one has.
create or replace function external_ref(p_record uuid, p_try int default 0)
returns text language sql immutable parallel safe as $$
    select 'AB-' || string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + ((bits >> (5 * n)) & 31)::int, 1), '' order by n desc)
    from (select ('x' || left(encode(sha256(uuid_send(p_record) || int4send(p_try)), 'hex'), 13))::bit(52)::bigint as bits) as hash,
         generate_series(0, 9) as n
$$;
