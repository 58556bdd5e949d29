-- Who acts: what the application says for its caller in this transaction, else the database's own user.
create or replace function actor() returns text language sql stable as $$
    select coalesce(nullif(current_setting('asbuilt.actor', true), ''), session_user::text)
$$;
