-- Who acts: what the application says for its caller in this transaction, else the database's own user. A person who signs in as
-- an operator cannot say to be somebody else.
create or replace function actor() returns text language sql stable as $$
    select coalesce(nullif(case when pg_has_role(session_user, to_regrole('asbuilt_app'), 'member')
                                  or pg_has_role(session_user, to_regrole('asbuilt_worker'), 'member')
                                  or pg_has_role(session_user, to_regrole('asbuilt_operator'), 'member') is not true
                                then current_setting('asbuilt.actor', true) end, ''), session_user::text)
$$;
