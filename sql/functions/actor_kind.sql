-- Of an actor what it is, without who: user, device, a process by its name, or login for somebody at psql.
create or replace function actor_kind(p_actor text) returns text language sql immutable set search_path = pg_catalog, public, pg_temp as $$
    select case when p_actor ~ '^(user|device):' then split_part(p_actor, ':', 1)
                when p_actor ~ '^asbuilt-[a-z]+$' or p_actor = 'command line' then p_actor
                when p_actor is not null then 'login' end
$$;
